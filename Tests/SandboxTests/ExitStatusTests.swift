import Testing

@Suite("Exit status", .enabled(if: Caller.canMakeNamespaces, "namespaces are forbidden here"))
struct ExitStatusTests {
    let root: TestRoot

    init() throws { root = try TestRoot() }

    struct Case: Sendable, CustomTestStringConvertible {
        var command: [String]
        var status: Int32
        var message = ""

        var testDescription: String { command.joined(separator: " ") }
    }

    static let cases: [Case] = [
        Case(command: ["bash", "-c", "exit 0"], status: 0),
        Case(command: ["bash", "-c", "exit 3"], status: 3),
        Case(command: ["bash", "-c", "exit 127"], status: 127),
        Case(command: ["bash", "-c", "kill -TERM $$"], status: 128 + 15),
        Case(command: ["bash", "-c", "kill -KILL $$"], status: 128 + 9),
        Case(command: ["nowhere"], status: 127, message: "nowhere: not found in the root (looked in /bin)"),
        Case(command: ["/bin/nowhere"], status: 127, message: "/bin/nowhere: not in the root"),
        Case(command: ["/etc/file/below"], status: 127, message: "not in the root"),
        Case(command: ["folder"], status: 127, message: "folder: not found"),
        Case(command: ["orphan"], status: 127, message: "/bin/orphan: is in the root, but the loader or script"),
        Case(command: ["text"], status: 126, message: "/bin/text: cannot be executed: Exec format error"),
        Case(command: ["/etc/file"], status: 126, message: "/etc/file: cannot be executed: Permission denied"),
        Case(command: ["/etc"], status: 126, message: "/etc: cannot be executed: Is a directory"),
        Case(command: [""], status: 127, message: "not found in the root"),
        Case(command: [], status: 125, message: "no command to run"),
    ]

    @Test("The command's own status is passed on; 126 and 127 say why it did not start", arguments: Caller.available)
    func status(of caller: Caller) throws {
        for example in Self.cases {
            let outcome = try Probe.run(caller, root, example.command)
            #expect(outcome.status == example.status, "\(example.testDescription): \(outcome.errors)")
            #expect(
                example.message.isEmpty ? outcome.errors.isEmpty : outcome.errors.contains(example.message),
                "\(example.testDescription): \(outcome.errors)")
        }
    }

    @Test(
        "What keeps layerfs from starting anything is 125, with the reason",
        arguments: [
            ("/nowhere", "opening the root: /nowhere: No such file or directory"),
            ("/etc/passwd", "opening the root: /etc/passwd: Not a directory"),
            ("/", "this machine's own root"),
            ("", "no root to run the command in"),
        ])
    func unusableRoot(path: String, message: String) throws {
        for caller in Caller.available {
            let outcome = try Child.run(caller.prefix + [Probe.path, path, "bash"])
            #expect(outcome.status == 125)
            #expect(outcome.errors.contains(message), "\(outcome.errors)")
        }
    }

    @Test("The command is looked for in its own PATH, inside the root", arguments: Caller.available)
    func searchPath(caller: Caller) throws {
        // The host surely has /usr/sbin and /bin/sh; the root has neither.
        #expect(try Probe.run(caller, root, ["sh"]).status == 127)
        // The first PATH counts, its empty element is the working directory.
        let here = [caller.prefix, [Probe.path, "-w", "/usr/bin", "-e", "PATH=/nowhere:", root.path, "cat", "/etc/file"]]
        #expect(try Child.run(Array(here.joined())).output == "hello\n")
        let none = [caller.prefix, [Probe.path, root.path, "cat", "/etc/file"]]
        #expect(try Child.run(Array(none.joined())).output == "hello\n", "the default PATH has /bin")
    }
}
