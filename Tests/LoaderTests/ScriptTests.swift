import Bytes
import Loader
import TestSupport
import Testing

struct ShebangTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var text: String
        var interpreter: ByteString
        var argument: ByteString?
        var isTruncated = false
    }

    @Test(
        "The line is read as the kernel reads it",
        arguments: [
            Case(testDescription: "plain", text: "#!/bin/sh\nx", interpreter: "/bin/sh"),
            Case(testDescription: "no line end", text: "#!/bin/sh", interpreter: "/bin/sh"),
            Case(testDescription: "blanks", text: "#! \t/bin/sh \t\n", interpreter: "/bin/sh"),
            Case(
                testDescription: "one argument", text: "#!/usr/bin/awk -f\n", interpreter: "/usr/bin/awk",
                argument: "-f"),
            Case(
                testDescription: "all the rest is one argument", text: "#!/bin/x  a b  c \n", interpreter: "/bin/x",
                argument: "a b  c"),
            Case(testDescription: "carriage return", text: "#!/bin/sh\r\n", interpreter: "/bin/sh\r"),
            Case(testDescription: "NUL ends the name", text: "#!/bin/sh\u{0}junk\n", interpreter: "/bin/sh"),
            Case(testDescription: "relative", text: "#!sh\n", interpreter: "sh"),
            Case(
                testDescription: "cut off in the argument", text: "#!/bin/sh " + String(repeating: "a", count: 300),
                interpreter: "/bin/sh", argument: ByteString(String(repeating: "a", count: 245)), isTruncated: true),
        ])
    func lines(_ test: Case) throws {
        let line = try #require(try Shebang(Array(test.text.utf8.prefix(256))))
        #expect(line.interpreter == test.interpreter)
        #expect(line.argument == test.argument)
        #expect(line.isTruncated == test.isTruncated)
    }

    @Test("What the kernel refuses is refused")
    func refusals() throws {
        #expect(try Shebang(Array("no script".utf8)) == nil)
        #expect(try Shebang([]) == nil)
        #expect(throws: ShebangError.empty) { try Shebang(Array("#!\n/bin/sh".utf8)) }
        #expect(throws: ShebangError.empty) { try Shebang(Array("#!  \t ".utf8)) }
        let long = Array(("#!/" + String(repeating: "a", count: 300)).utf8.prefix(256))
        #expect(throws: ShebangError.interpreterTooLong) { try Shebang(long) }
    }

    @Test(
        "env's command is found among its options",
        arguments: [
            ("python3", "python3"), ("-S python3 -I", "python3"), ("-S  -i A=1 B=2 perl -w", "perl"),
            ("-Spython3 -u", "python3"), ("-vS bash", "bash"), ("-S -u HOME -C / sh", "sh"),
            ("--split-string=awk -f", "awk"), ("-S 'my tool' x", "my tool"), ("-S my\\_tool", "my"),
            ("-S \"a\\_b\"", "a b"), ("-S sh # comment", "sh"), ("-S -- X=1 node", "node"),
            ("python3 -u", "python3 -u"),
        ])
    func envCommands(argument: String, command: String) {
        #expect(EnvCommand(argument: ByteString(argument)).command == ByteString(command))
    }

    @Test("env without a command starts nothing", arguments: ["-S", "-S A=1", "-i", "-S # x"])
    func envWithoutCommand(argument: String) {
        #expect(EnvCommand(argument: ByteString(argument)).command == nil)
    }
}

struct ScriptTests {
    private func options(_ fixture: Fixture) -> ResolveOptions {
        var options = ResolveOptions()
        options.path = [ByteString(fixture.path + "/bin")] + ResolveOptions.defaultPath
        return options
    }

    @Test("A script brings its interpreter, that one's interpreter, and what env starts")
    func chain() throws {
        let fixture = try Fixture()
        try fixture.write("one", "#!\(fixture.path)/two\n", mode: 0o755)
        try fixture.write("two", "#!/usr/bin/env -S tool -x\n", mode: 0o755)
        try fixture.write("bin/tool", "#!/bin/sh\n", mode: 0o755)
        let closure = try fixture.closure("one", options: options(fixture))
        #expect(closure.isComplete)
        #expect(fixture.files(closure) == ["bin/tool", "one", "two"])
        let edges = closure.edges.filter { $0.kind == .shebang || $0.kind == .env }
        #expect(edges.map(\.name) == [ByteString(fixture.path + "/two"), "/usr/bin/env", "tool", "/bin/sh"])
        #expect(closure.edges.contains { $0.kind == .interpreter })
    }

    @Test("Linux follows five scripts, not six", .enabled(if: Fixture.isPossible, "needs gcc"))
    func depth() throws {
        let fixture = try Fixture()
        try fixture.write("s1", "#!/bin/sh\nexit 7\n", mode: 0o755)
        for level in 2...6 { try fixture.write("s\(level)", "#!\(fixture.path)/s\(level - 1)\n", mode: 0o755) }
        #expect(try fixture.closure("s5").isComplete)
        #expect(try fixture.closure("s6").unresolved.map(\.cause) == [.tooManyScripts])
        // So says the kernel.
        try fixture.write(
            "exec.c", "#include <unistd.h>\nint main(int c, char **v) { execv(v[1], v + 1); return 9; }\n")
        _ = try Tool.run("gcc", ["-o", fixture.path + "/exec", fixture.path + "/exec.c"])
        #expect(try Tool.run(path: fixture.path + "/exec", [fixture.path + "/s5"]).status == 7)
        #expect(try Tool.run(path: fixture.path + "/exec", [fixture.path + "/s6"]).status == 9)
    }

    @Test("A script that starts itself through env ends the search")
    func loop() throws {
        let fixture = try Fixture()
        try fixture.write("bin/tool", "#!/usr/bin/env tool\n", mode: 0o755)
        let closure = try fixture.closure("bin/tool", options: options(fixture))
        #expect(closure.isComplete)
        #expect(fixture.files(closure) == ["bin/tool"])
    }

    @Test("A carriage return belongs to the interpreter's name, and the message says so")
    func carriageReturn() throws {
        let fixture = try Fixture()
        try fixture.write("script", "#!/bin/sh\r\necho\r\n", mode: 0o755)
        let missing = try #require(try fixture.closure("script").unresolved.first)
        #expect(missing.name == "/bin/sh\r")
        #expect(missing.description.contains("carriage return"))
    }

    @Test("A command that env does not find is unresolved, with every directory of PATH tried")
    func missingCommand() throws {
        let fixture = try Fixture()
        try fixture.write("script", "#!/usr/bin/env no-such-tool\n", mode: 0o755)
        let missing = try #require(try fixture.closure("script").unresolved.first)
        #expect(missing.kind == .env)
        #expect(missing.name == "no-such-tool")
        #expect(missing.attempts.count == ResolveOptions.defaultPath.count)
    }

    @Test("An executable text without #! is run by /bin/sh, and noted")
    func textWithoutLine() throws {
        let fixture = try Fixture()
        try fixture.write("script", "echo hello\n", mode: 0o755)
        let closure = try fixture.closure("script")
        #expect(closure.edges.contains { $0.kind == .shell && $0.name == "/bin/sh" })
        #expect(closure.notes.contains { if case .textRunByShell = $0 { true } else { false } })
    }
}
