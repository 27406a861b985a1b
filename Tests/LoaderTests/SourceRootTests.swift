import Bytes
import Loader
import Posix
import TestSupport
import Testing

struct SourceRootTests {
    private func root(_ fixture: Fixture) throws -> SourceRoot { try SourceRoot(ByteString(fixture.path)) }

    @Test("Links are followed inside the root: absolute targets begin there, and .. stops there")
    func containment() throws {
        let fixture = try Fixture()
        try fixture.write("usr/lib/x", "x")
        try fixture.link("lib", to: "usr/lib")
        try fixture.link("abs", to: "/lib/x")
        try fixture.link("up", to: "../../../../../lib/x")
        try fixture.link("usr/passwd", to: "/etc/passwd")
        let root = try root(fixture)
        for path: ByteString in ["/lib/x", "/abs", "/up", "/../../lib/x", "/usr/../lib/./x", "abs"] {
            #expect(try root.resolve(path).path.bytes == "/usr/lib/x", "\(path)")
        }
        #expect(try root.resolve("/abs").links.map(\.path.description) == ["/abs", "/lib"])
        #expect(try root.resolve("/abs").links.map(\.target) == ["/lib/x", "usr/lib"])
        // The machine has /etc/passwd, the root has not.
        #expect(throws: LookupFailure(reason: .notFound, at: "/etc")) { try root.resolve("/usr/passwd") }
        #expect(root.hostPath(of: try root.resolve("/lib/x").path) == ByteString(fixture.path + "/usr/lib/x"))
    }

    @Test("A walk fails as the kernel's does")
    func failures() throws {
        let fixture = try Fixture()
        try fixture.write("file", "x")
        try fixture.link("loop", to: "loop")
        try fixture.link("slash", to: "file/")
        try fixture.link("chain0", to: "file")
        for index in 1...41 { try fixture.link("chain\(index)", to: "chain\(index - 1)") }
        let root = try root(fixture)
        func reason(_ path: ByteString) -> LookupFailure.Reason? {
            do {
                _ = try root.resolve(path)
                return nil
            } catch { return error.reason }
        }
        #expect(reason("/none") == .notFound)
        #expect(reason("") == .notFound)
        #expect(reason("/file/x") == .notDirectory)
        #expect(reason("/file/") == .notDirectory)
        #expect(reason("/slash") == .notDirectory)
        #expect(reason("/file/..") == .notDirectory)
        #expect(reason("/loop") == .tooManyLinks)
        #expect(reason("/chain39") == nil)
        #expect(reason("/chain40") == .tooManyLinks)
        #expect(reason(ByteString("/" + String(repeating: "a", count: 300))) == .invalidName)
        #expect(reason(ByteString(String(repeating: "/a", count: 3000))) == .invalidName)
        #expect(reason(ByteString([0x2f, 0x61, 0, 0x62])) == .invalidName)
    }

    @Test("A directory left by .. is reported")
    func passedDirectories() throws {
        let fixture = try Fixture()
        try fixture.write("a/file", "x")
        try fixture.makeDirectory("b/c")
        let found = try root(fixture).resolve("/b/c/../../a/file")
        #expect(found.passedDirectories.map(\.description) == ["/b/c", "/b"])
        #expect(found.status.kind == .regular)
    }

    @Test("Names that are not UTF-8 are followed as they are")
    func bytes() throws {
        let fixture = try Fixture()
        _ = try Tool.run(
            "sh", ["-c", "cd '\(fixture.path)' && : > \"$(printf 'a\\377b')\" && ln -s \"$(printf 'a\\377b')\" l"])
        let found = try root(fixture).resolve("/l")
        #expect(found.path.bytes.bytes == [0x2f, 0x61, 0xff, 0x62])
    }

    @Test("What was opened is what was found")
    func replaced() throws {
        let fixture = try Fixture()
        try fixture.write("file", "x")
        let root = try root(fixture)
        let found = try root.resolve("/file")
        try fixture.write("other", "y")
        try fixture.remove("file")
        try fixture.link("file", to: "other")
        #expect(throws: SystemError.self) { _ = try root.open(found, .readOnly).status() }
    }
}
