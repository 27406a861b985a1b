import Bytes
import ELF
import Loader
import Posix
import TestSupport
import Testing

@Suite(.enabled(if: Fixture.isPossible, "needs gcc"))
struct ProgramTests {
    @Test(
        "Static programs need nothing but themselves",
        arguments: [("-static", RequestedProgram.Kind.staticExecutable), ("-static-pie", .staticPIE)])
    func staticPrograms(flag: String, kind: RequestedProgram.Kind) throws {
        let fixture = try Fixture()
        try fixture.program([flag])
        let closure = try fixture.closure()
        #expect(closure.programs.map(\.kind) == [kind])
        #expect(closure.files.map(\.path.description) == [fixture.path + "/prog"])
        #expect(closure.isComplete)
    }

    @Test(
        "The interpreter is the path in the program, whatever it is; its links are kept",
        .enabled(if: Tool.isAvailable("patchelf")))
    func interpreter() throws {
        let fixture = try Fixture()
        try fixture.program()
        let usual = try #require(try fixture.closure().edges.first { $0.kind == .interpreter })
        try fixture.link("my/ld.so", to: usual.openedAs.description)
        try fixture.patch("prog", ["--set-interpreter", fixture.path + "/my/ld.so"])
        let closure = try fixture.closure()
        #expect(closure.isComplete)
        let edge = try #require(closure.edges.first { $0.kind == .interpreter })
        #expect(edge.to == usual.to)
        #expect(edge.via.first?.description == fixture.path + "/my/ld.so")
        #expect(fixture.files(closure) == ["my/ld.so", "prog"])
    }

    @Test("A missing interpreter is unresolved", .enabled(if: Tool.isAvailable("patchelf")))
    func missingInterpreter() throws {
        let fixture = try Fixture()
        try fixture.program()
        try fixture.patch("prog", ["--set-interpreter", "/nowhere/ld.so"])
        let missing = try fixture.closure().unresolved
        #expect(missing.map(\.kind) == [.interpreter])
        #expect(missing.map(\.name) == ["/nowhere/ld.so"])
        #expect(missing.first?.attempts.map(\.rejection) == [.unreachable(.notFound)])
    }

    @Test("A shared object is resolved with the machine's usual loader, and noted")
    func sharedObject() throws {
        let fixture = try Fixture()
        try fixture.library("l/libb.so")
        try fixture.library("l/liba.so", needs: ["l/libb.so"], ["-Wl,-rpath,$ORIGIN"])
        let closure = try fixture.closure("l/liba.so")
        #expect(fixture.files(closure) == ["l/liba.so", "l/libb.so"])
        #expect(closure.files.count == 2)
        #expect(closure.programs.map(\.kind) == [.sharedObject])
        #expect(closure.notes.contains { if case .sharedObject = $0 { true } else { false } })
    }

    @Test("What is no program is refused, each for its reason")
    func refusals() throws {
        let fixture = try Fixture()
        try fixture.write("data", "no program", mode: 0o644)
        try fixture.write("binary", "a\u{0}b", mode: 0o755)
        try fixture.write("cut", "\u{7f}ELF\u{2}\u{1}\u{1}", mode: 0o755)
        try fixture.makeDirectory("dir")
        try fixture.link("loop", to: "loop")
        _ = try Tool.run("mkfifo", [fixture.path + "/fifo"])
        func error(_ name: String) -> ProgramError? {
            do {
                try ClosureResolver(SourceRoot()).add(ByteString(fixture.path + "/" + name))
                return nil
            } catch { return error as? ProgramError }
        }
        let path = { ByteString(fixture.path + "/" + $0) }
        #expect(error("data") == .notProgram(path: path("data")))
        #expect(error("binary") == .notProgram(path: path("binary")))
        #expect(error("cut") == .damaged(path: path("cut"), .truncated(.fileHeader, offset: 7)))
        #expect(error("dir") == .isDirectory(path: path("dir")))
        #expect(error("fifo") == .notRegularFile(path: path("fifo")))
        #expect(error("loop") == .unreachable(path: path("loop"), .init(reason: .tooManyLinks, at: path("loop"))))
        #expect(error("gone") == .unreachable(path: path("gone"), .init(reason: .notFound, at: path("gone"))))
    }

    @Test("An object file is no program", .enabled(if: Tool.isAvailable("gcc")))
    func relocatable() throws {
        let fixture = try Fixture()
        try fixture.program("prog.o", ["-c"])
        #expect(throws: ProgramError.notLoadable(path: ByteString(fixture.path + "/prog.o"))) {
            try fixture.closure("prog.o")
        }
    }

    @Test("A name is looked for in PATH in order, and only executable files count")
    func names() throws {
        let fixture = try Fixture()
        try fixture.write("one/tool", "text", mode: 0o644)
        try fixture.write("two/tool", "#!/bin/sh\n", mode: 0o755)
        try fixture.write("three/tool", "#!/bin/sh\n", mode: 0o755)
        var options = ResolveOptions()
        options.path = ["one", "two", "three"].map { ByteString(fixture.path + "/" + $0) }
        let resolver = ClosureResolver(try SourceRoot(), options: options)
        let program = try resolver.add("tool")
        #expect(program.literalPath == ByteString(fixture.path + "/two/tool"))
        #expect(program.kind == .script)
    }

    @Test("An unknown name is refused with the programs of nearly that name")
    func suggestions() throws {
        let fixture = try Fixture()
        for name in ["grep", "egrep", "sgrep.txt", "zgrep", "sed"] {
            try fixture.write("bin/" + name, "#!/bin/sh\n", mode: name.hasSuffix(".txt") ? 0o644 : 0o755)
        }
        var options = ResolveOptions()
        let folder = ByteString(fixture.path + "/bin")
        options.path = [folder]
        let resolver = ClosureResolver(try SourceRoot(), options: options)
        #expect(throws: ProgramError.unknownName("gerp", searched: [folder], similar: ["grep", "egrep", "zgrep"])) {
            try resolver.add("gerp")
        }
    }

    @Test("Programs added together share their files and keep their own reasons")
    func several() throws {
        let fixture = try Fixture()
        try fixture.library("l/liba.so")
        let flags = ["-Wl,-rpath,\(fixture.path)/l"]
        try fixture.program("one", needs: ["l/liba.so"], flags)
        try fixture.program("two", needs: ["l/liba.so"], flags)
        let resolver = ClosureResolver(try SourceRoot())
        for name in ["one", "two", "one"] { try resolver.add(ByteString(fixture.path + "/" + name)) }
        let closure = resolver.closure()
        #expect(closure.programs.count == 3)
        #expect(fixture.files(closure) == ["l/liba.so", "one", "two"])
        #expect(closure.edges.filter { $0.name == "liba.so" }.count == 2)
        #expect(closure.files.map(\.path) == closure.files.map(\.path).sorted())
    }

    @Test("awk is found through the alternatives system, whose links are entries", .enabled(if: alternatives))
    func awk() throws {
        let resolver = ClosureResolver(try SourceRoot())
        try resolver.add("awk")
        let closure = resolver.closure()
        let links = closure.files.filter { if case .symlink = $0.kind { true } else { false } }.map(\.path.description)
        #expect(links.contains("/usr/bin/awk"))
        #expect(links.contains("/etc/alternatives/awk"))
        let program = try #require(closure.programs.first)
        #expect(closure.files.contains { $0.path == program.path && $0.kind != .directory })
    }

    private static let alternatives = (try? SourceRoot().resolve("/etc/alternatives/awk")) != nil

    @Test("The explanation shows each file once under what loaded it, and what is missing with the places tried")
    func explanation() throws {
        let fixture = try Fixture()
        try fixture.library("l/libgone.so")
        try fixture.library("l/libb.so", needs: ["l/libgone.so"])
        try fixture.library("l/liba.so", needs: ["l/libb.so"])
        try fixture.program(
            needs: ["l/liba.so", "l/libb.so"],
            ["-Wl,--disable-new-dtags,-rpath,\(fixture.path)/l", "-nostartfiles", "-nodefaultlibs"])
        try fixture.remove("l/libgone.so")
        let lines = ClosureExplanation(try fixture.closure()).lines
            .map { $0.replacing(fixture.path, with: "DIR") }
            .filter { !$0.contains("ld-linux") && !$0.contains("through /lib") && !$0.contains("(in system directory") }
        #expect(
            lines == [
                "DIR/prog: DIR/prog (dynamic executable, by its path)",
                "├─ needed liba.so => DIR/l/liba.so (in RPATH DIR/l of DIR/prog)",
                "│  └─ needed libb.so => DIR/l/libb.so (loaded before)",
                "└─ needed libb.so => DIR/l/libb.so (in RPATH DIR/l of DIR/prog)",
                "   └─ needed libgone.so: not found",
                "        tried DIR/l/libgone.so (in RPATH DIR/l of DIR/prog): no such file",
                "        tried /etc/ld.so.cache: does not list it",
            ])
    }
}
