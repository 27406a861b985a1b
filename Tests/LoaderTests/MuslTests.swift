import Bytes
import Loader
import TestSupport
import Testing

@Suite(
    .enabled(if: hasMusl, "needs musl and musl-tools (musl-gcc)"), .enabled(if: isX86_64),
    .enabled(if: Tool.isAvailable("patchelf"), "needs patchelf"))
struct MuslTests {
    private func runpath(_ fixture: Fixture, _ directories: String...) -> [String] {
        ["-Wl,--enable-new-dtags,-rpath," + directories.map { fixture.path + "/" + $0 }.joined(separator: ":")]
    }

    @Test("DT_RUNPATH and DT_RPATH are one thing, and both are searched for what a library needs")
    func inheritance() throws {
        for tags in ["--enable-new-dtags", "--disable-new-dtags"] {
            let fixture = try Fixture(compiler: "musl-gcc")
            try fixture.library("l/libb.so")
            try fixture.library("l/liba.so", needs: ["l/libb.so"])
            try fixture.program(needs: ["l/liba.so"], ["-Wl,\(tags),-rpath,\(fixture.path)/l"])
            try fixture.expectMuslAgreement()
            let closure = try fixture.closure()
            #expect(closure.isComplete)
            #expect(fixture.files(closure) == ["l/liba.so", "l/libb.so", "prog"])
            #expect(closure.files.map(\.path.description).contains("/usr/lib/ld-musl-x86_64.so.1"))
        }
    }

    @Test(
        "Names of libc's parts are the loader itself and need no file",
        arguments: ["libm.so.6", "libpthread.so.0", "libc.musl-x86_64.so.1", "libutil.", muslLoader])
    func ownNames(name: String) throws {
        let fixture = try Fixture(compiler: "musl-gcc")
        try fixture.program()
        try fixture.patch("prog", ["--add-needed", name])
        try fixture.expectMuslAgreement()
        let edge = try #require(try fixture.closure().edges.first { $0.name == ByteString(name) && $0.kind == .needed })
        #expect(edge.place == .alreadyLoaded)
    }

    @Test("Only $ORIGIN has a value; any other token voids the whole path")
    func tokens() throws {
        for (path, isFound) in [
            ("$ORIGIN/l", true), ("${ORIGIN}/l", true), ("$LIB:$ORIGIN/l", false), ("$ORIGIN/l:/$X", false),
        ] {
            let fixture = try Fixture(compiler: "musl-gcc")
            try fixture.library("l/liba.so")
            try fixture.program(needs: ["l/liba.so"], ["-Wl,-rpath,\(path)"])
            try fixture.expectMuslAgreement()
            #expect(try fixture.closure().isComplete == isFound, "\(path)")
        }
    }

    @Test("A library answers to its file's name, not to its DT_SONAME")
    func soname() throws {
        let fixture = try Fixture(compiler: "musl-gcc")
        try fixture.library("l/libfx.so", soname: "libfx.so.1")
        try fixture.library("m/libfx.so.1")
        try fixture.library("l/libb.so", needs: ["m/libfx.so.1"])
        try fixture.program(needs: ["l/libb.so"], runpath(fixture, "l"))
        try fixture.patch("prog", ["--add-needed", "libfx.so"])
        try fixture.expectMuslAgreement()
        #expect(try fixture.closure().unresolved.map(\.name) == ["libfx.so.1"])
    }

    @Test("Two names of one file are both opened, and kept")
    func namesOfOneFile() throws {
        let fixture = try Fixture(compiler: "musl-gcc")
        try fixture.library("l/liba.so")
        try fixture.library("l/libb.so")
        try fixture.program(needs: ["l/liba.so", "l/libb.so"], runpath(fixture, "l"))
        try fixture.remove("l/libb.so")
        try fixture.link("l/libb.so", to: "liba.so")
        let closure = try fixture.closure()
        #expect(closure.isComplete)
        #expect(fixture.files(closure) == ["l/liba.so", "l/libb.so", "prog"])
    }

    @Test("The first file that opens is taken, of whatever class it says it is; nothing after it is tried")
    func firstFile() throws {
        let fixture = try Fixture(compiler: "musl-gcc")
        for folder in ["bad", "good"] { try fixture.library("\(folder)/liba.so") }
        try fixture.program(needs: ["good/liba.so"], runpath(fixture, "bad", "good"))
        try fixture.poke("bad/liba.so", at: 4, 1)
        try fixture.expectMuslAgreement()
        #expect(try fixture.files(fixture.closure()) == ["bad/liba.so", "prog"])
        for (text, fault) in [("", LoadFault.tooShort), (String(repeating: "text ", count: 99), .notELF)] {
            try fixture.write("bad/liba.so", text)
            try fixture.expectMuslAgreement()
            #expect(try fixture.closure().unresolved.first?.attempts.last?.rejection == .unusable(fault))
        }
        try fixture.remove("bad/liba.so")
        try fixture.link("bad/liba.so", to: "liba.so")
        try fixture.expectMuslAgreement()
        #expect(!(try fixture.closure().isComplete))
        try fixture.remove("bad/liba.so")
        try fixture.link("bad/liba.so", to: "nowhere")
        try fixture.expectMuslAgreement()
        #expect(try fixture.closure().isComplete)
    }

    @Test("A second libc, needed by its path, is passed by for the loader's own")
    func secondLibc() throws {
        let fixture = try Fixture(compiler: "musl-gcc")
        _ = try Tool.run("cp", ["/lib/x86_64-linux-musl/libc.so", fixture.path + "/other.so"])
        try fixture.program()
        try fixture.patch("prog", ["--add-needed", fixture.path + "/other.so"])
        #expect(try fixture.closure().isComplete)
        // Opened all the same, so it must be there.
        #expect(try fixture.files(fixture.closure()) == ["other.so", "prog"])
        #expect(try Tool.run(path: fixture.path + "/prog").status == 0)
    }

    /// A loader of its own in `x/lib`, so that its path file is in `x/etc`.
    private func ownLoader(pathFile: String?) throws -> Fixture {
        let fixture = try Fixture(compiler: "musl-gcc")
        try fixture.makeDirectory("x/lib")
        _ = try Tool.run("cp", [muslLoader, fixture.path + "/x/lib/ld-musl-x86_64.so.1"])
        try fixture.library("l/liba.so")
        try fixture.program(needs: ["l/liba.so"], [])
        try fixture.patch("prog", ["--set-interpreter", fixture.path + "/x/lib/ld-musl-x86_64.so.1"])
        if let pathFile { try fixture.write("x/etc/ld-musl-x86_64.path", pathFile) }
        return fixture
    }

    @Test("The path file lies beside the loader's lib directory, and replaces the default")
    func pathFile() throws {
        let fixture = try ownLoader(pathFile: nil)
        let loader = fixture.path + "/x/lib/ld-musl-x86_64.so.1"
        try fixture.expectMuslAgreement(loader: loader)
        let tried = try fixture.closure().unresolved.first?.attempts.map(\.path.description)
        #expect(tried == ["/lib/liba.so", "/usr/local/lib/liba.so", "/usr/lib/liba.so"])
        try fixture.write("x/etc/ld-musl-x86_64.path", "/nowhere\n\n:\(fixture.path)/l:")
        try fixture.expectMuslAgreement(loader: loader)
        let closure = try fixture.closure()
        #expect(closure.isComplete)
        #expect(
            closure.edges.first { $0.name == "liba.so" }?.place
                == .systemDirectory(ByteString(fixture.path + "/l")))
        // The library is found by the path file only, so that it is part of the closure.
        #expect(
            fixture.files(closure) == ["l/liba.so", "prog", "x/etc/ld-musl-x86_64.path", "x/lib/ld-musl-x86_64.so.1"])
        // A path file that cannot be read is an empty path.
        try fixture.remove("x/etc/ld-musl-x86_64.path")
        try fixture.makeDirectory("x/etc/ld-musl-x86_64.path")
        try fixture.expectMuslAgreement(loader: loader)
        #expect(try fixture.closure().unresolved.first?.attempts == [])
    }

    @Test(
        "A program runs in a root of its closure, its libraries found by the path file",
        .enabled(if: isRoot, "chroot(2) needs root"))
    func runs() throws {
        let fixture = try ownLoader(pathFile: nil)
        try fixture.write("x/etc/ld-musl-x86_64.path", "\(fixture.path)/l\n")
        let root = try fixture.layOut(fixture.closure())
        #expect(try Tool.run("sh", ["-c", "chroot \"$0\" \"$1\"", root.path, fixture.path + "/prog"]).status == 0)
    }

    @Test("The library path comes first")
    func libraryPath() throws {
        let fixture = try Fixture(compiler: "musl-gcc")
        for folder in ["given", "l"] { try fixture.library("\(folder)/liba.so") }
        try fixture.program(needs: ["l/liba.so"], runpath(fixture, "l"))
        var options = ResolveOptions()
        options.libraryPath = [ByteString(fixture.path + "/given")]
        #expect(try fixture.files(fixture.closure(options: options)) == ["given/liba.so", "prog"])
    }
}
