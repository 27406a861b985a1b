import Bytes
import ELF
import Foundation
import Loader
import TestSupport
import Testing

struct RuleTests {
    private static let allRules: ResolveOptions = {
        var options = ResolveOptions()
        options.rules = RuleTable.rules
        return options
    }()

    /// An arm64 root whose `tool` imports `functions`.
    private func root(glibc version: String, imports functions: [String]) throws -> ForeignRoot {
        let root = try ForeignRoot(Machine.all[0], version: version)
        try root.library("usr/lib/libc.so.6")
        var file = root.machine.file(interpreter: root.machine.interpreter, needed: ["libc.so.6"])
        file.symbols = functions.map { .init($0, isDefined: false) } + [.init("main", isDefined: true)]
        try root.write("usr/bin/tool", file.build(), mode: 0o755)
        return root
    }

    /// The rules' edges, as "rule file".
    private func brought(_ closure: Closure) -> [String] {
        closure.edges.compactMap { edge in
            if case .rule(let id) = edge.kind { "\(id) \(edge.to.name)" } else { nil }
        }
    }

    private func closure(_ root: ForeignRoot) throws -> Closure { try root.closure(options: Self.allRules) }

    private static let tool = try? TreePath("/usr/bin/tool")

    @Test("The table is in order: ids are unique, versions known, reasons given")
    func table() {
        #expect(Set(RuleTable.rules.map(\.id)).count == RuleTable.rules.count)
        #expect(RuleTable.rules.allSatisfy { (1...RuleTable.version).contains($0.version) && !$0.reason.isEmpty })
    }

    @Test("Kinds of dependencies and their texts belong together")
    func kinds() {
        for kind: DependencyKind in [.program, .needed, .dlopen, .shell, .rule("libgcc-s")] {
            #expect(DependencyKind(rawValue: kind.rawValue) == kind)
        }
        #expect(DependencyKind.rule("nss-hosts").rawValue == "rule:nss-hosts")
        #expect(DependencyKind(rawValue: "no such kind") == nil)
    }

    @Test("libgcc_s comes for who ends threads, searched as libc does; absent, it is noted")
    func libgcc() throws {
        let root = try root(glibc: "2.36", imports: ["pthread_exit", "puts"])
        #expect(
            try closure(root).notes == [
                .onDemandMissing(names: ["libgcc_s.so.1"], kind: .rule("libgcc-s"), of: try #require(Self.tool))
            ])
        try root.library("usr/lib/libgcc_s.so.1")
        #expect(try brought(closure(root)) == ["libgcc-s libgcc_s.so.1"])
        #expect(try closure(root).isComplete)
        // Off unless asked for, and silent where nothing calls for it.
        #expect(try brought(root.closure()) == [])
        let other = try self.root(glibc: "2.36", imports: ["puts"])
        try other.library("usr/lib/libgcc_s.so.1")
        #expect(try brought(closure(other)) == [])
    }

    @Test(
        "A program that ends a thread runs in a root of its closure, and only with what the rule brings",
        .enabled(if: Fixture.isPossible && isX86_64, "needs gcc"), .enabled(if: isRoot, "chroot(2) needs root"))
    func pthreadExit() throws {
        let fixture = try Fixture()
        try fixture.program(
            source: """
                #include <pthread.h>
                static void *f(void *p) { pthread_exit(p); }
                int main(void) { pthread_t t; return pthread_create(&t, 0, f, 0) || pthread_join(t, 0); }
                """)
        for (options, runs) in [(Self.allRules, true), (ResolveOptions(), false)] {
            let root = try fixture.layOut(fixture.closure(options: options))
            let result = try Tool.run(
                "sh", ["-c", "chroot \"$0\" \"$1\" 2>/dev/null", root.path, fixture.path + "/prog"])
            #expect((result.status == 0) == runs)
        }
    }

    @Test("Modules of the name service: files and DNS before glibc 2.34, where they were not in libc")
    func nameServices() throws {
        for (version, expected) in [
            ("2.31", ["nss-hosts libnss_files.so.2", "nss-hosts libnss_dns.so.2"]), ("2.36", []),
        ] {
            let root = try root(glibc: version, imports: ["getaddrinfo"])
            for name in ["files", "dns", "mdns4", "systemd"] { try root.library("usr/lib/libnss_\(name).so.2") }
            try root.write(
                "etc/nsswitch.conf",
                Array("# hosts: nis\npasswd: files systemd\nhosts:\tfiles mdns4 [NOTFOUND=return] dns gone # x\n".utf8))
            let closure = try closure(root)
            #expect(brought(closure) == expected)
            #expect(
                closure.notes == [
                    .optionalModule(name: "libnss_mdns4.so.2", rule: "nss-hosts", of: try #require(Self.tool))
                ])
        }
    }

    @Test("Without nsswitch.conf the default services count")
    func defaultServices() throws {
        let root = try root(glibc: "2.31", imports: ["getpwnam"])
        try root.library("usr/lib/libnss_files.so.2")
        #expect(try brought(closure(root)) == ["nss-passwd libnss_files.so.2"])
    }

    @Test("Checksums beside a library come along, beside its file and its link")
    func companions() throws {
        let root = try root(glibc: "2.36", imports: [])
        try root.library("usr/lib/libssl.so.3.0")
        try root.link("usr/lib/libssl.so.3", to: "libssl.so.3.0")
        try root.program(needed: ["libssl.so.3"])
        for name in ["lib/.libssl.so.3.hmac", "lib/.libssl.so.3.0.hmac", "lib/fipscheck/tool.hmac", "lib/.other.hmac"] {
            try root.write("usr/" + name, Array("x".utf8))
        }
        #expect(
            try brought(closure(root)) == [
                "hmac-fipscheck tool.hmac", "hmac .libssl.so.3.hmac", "hmac .libssl.so.3.0.hmac",
            ])
    }

    @Test("Presets are suggested once for a program, by what it imports")
    func suggestions() throws {
        let root = try root(glibc: "2.36", imports: ["iconv_open", "localtime"])
        let notes = try closure(root).notes
        let tool = try #require(Self.tool)
        #expect(
            notes == [
                .presetSuggested("gconv", rule: "gconv", of: tool), .presetSuggested("tz", rule: "tz", of: tool),
            ])
    }

    @Test("What is loaded anyway is not there by a rule", .enabled(if: Fixture.isPossible, "needs gcc"))
    func alreadyLoaded() throws {
        let fixture = try Fixture()
        try fixture.program(
            source: "void pthread_exit(void *); int main(void) { pthread_exit(0); }", ["-Wl,--no-as-needed", "-lgcc_s"])
        #expect(try brought(fixture.closure(options: Self.allRules)).filter { $0.contains("libgcc_s") } == [])
        #expect(try fixture.closure().files.contains { $0.path.name == "libgcc_s.so.1" })
    }
}
