import Bytes
import ELF
import Loader
import TestSupport
import Testing

struct OnDemandTests {
    /// An arm64 root with libraries that nothing needs, and `tool` with `notes`.
    private func root(_ notes: [String], runpath: String? = nil) throws -> ForeignRoot {
        let root = try ForeignRoot(Machine.all[0])
        for name in ["liba.so.1", "libb.so.1"] { try root.library("opt/l/\(name)") }
        try root.library("usr/lib/libhalf.so.1", needed: ["libgone.so"])
        try root.library("usr/lib/libc.so.6")
        var file = root.machine.file(interpreter: root.machine.interpreter, needed: ["libc.so.6"], runpath: runpath)
        file.dlopenNotes = notes
        try root.write("usr/bin/tool", file.build(), mode: 0o755)
        return root
    }

    private func closure(_ root: ForeignRoot, _ policy: ResolveOptions.DlopenPolicy = .recommended) throws -> Closure {
        var options = ResolveOptions()
        options.dlopen = policy
        return try root.closure(options: options)
    }

    private func brought(_ closure: Closure) -> [String] {
        closure.edges.filter { $0.kind == .dlopen }.map(\.to.name.description)
    }

    private static let each = [
        #"[{"soname":["liba.so.1"],"priority":"required","feature":"a","description":"for a"}]"#,
        #"[{"soname":["libb.so.1"]}]"#, #"{"soname":"libx.so","priority":"suggested"}"#,
    ]

    @Test(
        "Each policy takes what is as important or more",
        arguments: [
            (ResolveOptions.DlopenPolicy.none, []), (.required, ["liba.so.1"]),
            (.recommended, ["liba.so.1", "libb.so.1"]), (.suggested, ["liba.so.1", "libb.so.1", "libx.so"]),
        ])
    func policies(policy: ResolveOptions.DlopenPolicy, expected: [String]) throws {
        let root = try root(Self.each, runpath: "/opt/l")
        try root.library("opt/l/libx.so")
        let closure = try closure(root, policy)
        #expect(closure.isComplete)
        #expect(brought(closure) == expected)
        let first = closure.edges.first { $0.kind == .dlopen }
        if policy != .none {
            #expect(first?.note == DlopenReason(priority: .required, feature: "a", purpose: "for a"))
            #expect(first?.place == .runpath(element: "/opt/l", of: try TreePath("/usr/bin/tool")))
        }
    }

    @Test("The search is that of the object with the note: its own DT_RUNPATH counts, no other's")
    func searcher() throws {
        let root = try root([#"{"soname":"liba.so.1"}"#])
        // libn is the one that has the path.
        let note = #"{"soname":"libb.so.1","priority":"required"}"#
        var library = root.machine.file(soname: "libn.so", runpath: "/opt/l")
        library.dlopenNotes = [note]
        try root.write("usr/lib/libn.so", library.build())
        var file = root.machine.file(interpreter: root.machine.interpreter, needed: ["libn.so"])
        file.dlopenNotes = [#"{"soname":"liba.so.1"}"#]
        try root.write("usr/bin/tool", file.build(), mode: 0o755)
        let closure = try closure(root)
        #expect(closure.isComplete)
        #expect(brought(closure) == ["libb.so.1"])
        #expect(
            closure.notes.contains(
                .onDemandMissing(names: ["liba.so.1"], kind: .dlopen, of: try TreePath("/usr/bin/tool"))))
    }

    @Test("Of several names the first that is there with all it needs is taken")
    func alternatives() throws {
        let root = try root(
            [#"[{"soname":["libgone.so","libhalf.so.1","libb.so.1","liba.so.1"]}]"#], runpath: "/opt/l")
        let closure = try closure(root)
        #expect(closure.isComplete)
        #expect(brought(closure) == ["libb.so.1"])
        #expect(!closure.files.contains { $0.path.name == "libhalf.so.1" })
    }

    @Test("What a required library lacks is unresolved; what a recommended one lacks leaves it out, and is noted")
    func incomplete() throws {
        for (priority, isComplete) in [("required", false), ("recommended", true)] {
            for (name, missing) in [("libhalf.so.1", "libgone.so"), ("libnone.so", "libnone.so")] {
                let root = try root([#"{"soname":"\#(name)","priority":"\#(priority)"}"#])
                let closure = try closure(root)
                #expect(closure.unresolved.map(\.name.description) == (isComplete ? [] : [missing]))
                #expect(
                    closure.notes
                        == (isComplete
                            ? [
                                .onDemandMissing(
                                    names: [ByteString(name)], kind: .dlopen, of: try TreePath("/usr/bin/tool"))
                            ] : []))
                #expect(!isComplete || !closure.files.contains { $0.path.name == "libhalf.so.1" })
            }
        }
    }

    @Test("Notes of libraries that came along for notes are followed too, and a circle ends")
    func chains() throws {
        let root = try root([#"{"soname":"libone.so"}"#])
        for (name, next) in [("libone.so", "libtwo.so"), ("libtwo.so", "libone.so")] {
            var file = root.machine.file(soname: name)
            file.dlopenNotes = [#"{"soname":"\#(next)"}"#]
            try root.write("usr/lib/" + name, file.build())
        }
        #expect(brought(try closure(root)) == ["libone.so", "libtwo.so", "libone.so"])
    }

    @Test("A note that cannot be read is told, and stops nothing")
    func damage() throws {
        let closure = try closure(root(["{"]))
        #expect(closure.isComplete)
        #expect(closure.notes == [.unreadableNote(.notJSON, of: try TreePath("/usr/bin/tool"))])
    }

    @Test(
        "What dlopen(3) finds is what is found: glibc searches for the calling object, musl for the program",
        .enabled(if: Fixture.isPossible && hasMusl && Tool.isAvailable("objcopy"), "needs gcc, musl-gcc, objcopy"),
        arguments: ["gcc", "musl-gcc"])
    func realLoaders(compiler: String) throws {
        for searcher in ["library", "program"] {
            let fixture = try Fixture(compiler: compiler)
            try fixture.library("q/libq.so")
            let path = ["-Wl,--enable-new-dtags,-rpath,\(fixture.path)/l:\(fixture.path)/q"]
            try fixture.library(
                "l/liba.so",
                source: "void *dlopen(const char *, int); int f(void) { return !dlopen(\"libq.so\", 1); }",
                searcher == "library" ? path : [])
            try fixture.writeBytes("note", ELFBuilder().note(#"{"soname":"libq.so","priority":"required"}"#))
            let note = ".note.dlopen=\(fixture.path)/note"
            let result = try Tool.run("objcopy", ["--add-section", note, fixture.path + "/l/liba.so"])
            try #require(result.status == 0, "\(result.errors)")
            try fixture.program(
                "prog", source: "int f(void); int main(void) { return f(); }", needs: ["l/liba.so"],
                searcher == "program" ? path : ["-Wl,-rpath,\(fixture.path)/l"])
            let isFound = try Tool.run(path: fixture.path + "/prog").status == 0
            #expect(isFound == (searcher == "library" ? compiler == "gcc" : compiler == "musl-gcc"))
            #expect(try fixture.closure().isComplete == isFound)
            #expect(try fixture.files(fixture.closure()).contains("q/libq.so") == isFound)
        }
    }

    @Test("A plain program of this machine has no such edges")
    func plain() throws {
        let resolver = ClosureResolver(try SourceRoot())
        try resolver.add("/bin/sh")
        #expect(brought(resolver.closure()) == [])
    }
}
