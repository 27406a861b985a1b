import Glibc
import Testing

/// Drives a terminal with Python's pty module: sends keys, and waits for what must appear.
@Suite(
    "Terminal", .enabled(if: Caller.canMakeNamespaces, "namespaces are forbidden here"),
    .enabled(if: Terminal.hasPython, "python3 is not installed"))
struct TerminalTests {
    let root: TestRoot

    init() throws { root = try TestRoot() }

    @Test("An interactive shell has job control and its Ctrl-C goes to the foreground job", arguments: Caller.available)
    func interactiveShell(caller: Caller) throws {
        let outcome = try Terminal.drive(
            caller.prefix + Terminal.probe(root) + ["bash", "--norc", "-i"],
            [
                ("", "IN# "), ("tty\n", "/dev/console"),
                (Terminal.waiter + "\n", "running"), ("\u{3}", "IN# "),
                ("echo after=$?\n", "after=130"),
                (Terminal.waiter + "\n", "running"), ("\u{1a}", "Stopped"),
                ("fg\n", "resumed"), ("\u{3}", "IN# "), ("echo again=$?\n", "again=130"),
                ("perl -e '$x = \"x\"; ioctl(STDIN, 0x5412, $x) or print \"refused: $!\\n\"'\n", "refused: Operation not"),
                ("exit 5\n", ""),
            ])
        #expect(outcome.status == 5, "\(outcome.output)\(outcome.errors)")
    }

    @Test("Ctrl-Z stops the whole job, fg continues it, Ctrl-C ends it", arguments: Caller.available)
    func suspended(caller: Caller) throws {
        let inner = Terminal.probe(root).map { "'\($0)'" }.joined(separator: " ")
        let outcome = try Terminal.drive(
            caller.prefix + ["env", "PS1=OUT# ", "bash", "--norc", "-i"],
            [
                ("", "OUT# "), (inner + Terminal.waiter + "\n", "running"),
                ("\u{1a}", "Stopped"), ("fg\n", "resumed"), ("\u{3}", "OUT# "), ("echo status=$?\n", "status=130"),
                // Suspended by itself, with a signal that cannot be caught.
                (inner + " bash --norc -i\n", "IN# "), ("suspend\n", "Stopped"), ("fg\n", "norc"), ("\n", "IN# "),
                ("exit 6\n", "OUT# "), ("echo status=$?\n", "status=6"),
                // In the background it is stopped when it reads the terminal, and goes on in the foreground.
                (inner + " bash -c 'read x; echo got=$x' late &\n", "OUT# "),
                ("while ! jobs | grep -q Stop''ped; do sleep 0.05; done; echo is''stopped\n", "isstopped"),
                ("\n", "OUT# "), ("fg\n", "late"), ("word\n", "got=word"), ("echo status=$?\n", "status=0"),
                ("exit 0\n", ""),
            ])
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    }

    @Test("In a pipeline the command shares the terminal with the others", arguments: Caller.available)
    func pipeline(caller: Caller) throws {
        let inner = Terminal.probe(root).map { "'\($0)'" }.joined(separator: " ")
        let outcome = try Terminal.drive(
            caller.prefix + ["env", "PS1=OUT# ", "bash", "--norc", "-i"],
            [
                ("", "OUT# "), (inner + " bash -c \"echo run''ning; read x; echo got=\\$x\" | cat\n", "running"),
                ("word\n", "got=word"), (inner + Terminal.waiter + " | cat\n", "running"),
                ("\u{3}", "OUT# "), ("echo status=${PIPESTATUS[0]}\n", "status=130"),
                ("echo fed | " + inner + " bash -c 'cat; read x < /dev/tty; echo got=$x'\n", "\r\nfed"),
                ("key\n", "got=key"), ("exit 0\n", ""),
            ])
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    }
}

enum Terminal {
    static let hasPython: Bool = getenv("CI") != nil || (try? Child.run(["python3", "-c", "import pty"]).status) == 0

    /// A command line that says when it runs, and when it runs again.
    static let waiter =
        " perl -e '$SIG{CONT} = sub { print qq(resu), qq(med\\n) }; $| = 1; print qq(run), qq(ning\\n); sleep 1 while 1'"

    static func probe(_ root: TestRoot) -> [String] {
        [Probe.path, "-e", "PATH=/bin", "-e", "TERM=dumb", "-e", "PS1=IN# ", root.path]
    }

    /// Runs `command` on a terminal of its own. For each step types the first text, then waits for the second; one that
    /// does not come within a minute is a failure. What is typed is echoed, so it must not have the text waited for.
    ///
    /// - Returns: The status of the command, 99 when something did not appear.
    static func drive(_ command: [String], _ steps: [(type: String, expect: String)]) throws -> Child.Outcome {
        let words = steps.flatMap { [$0.type, $0.expect] }
        let script = """
            import os, pty, select, signal, sys
            count = int(sys.argv[1]); steps = sys.argv[2:2 + count]; command = sys.argv[2 + count:]
            child, terminal = pty.fork()
            if child == 0:
                for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP):
                    signal.signal(number, signal.SIG_DFL)
                os.environ["TERM"] = "dumb"
                os.execvp(command[0], command)
            seen = b""
            def more():
                global seen
                if not select.select([terminal], [], [], 60)[0]: return False
                try: data = os.read(terminal, 65536)
                except OSError: return False
                seen += data
                return bool(data)
            for index in range(0, count, 2):
                mark = len(seen)
                os.write(terminal, os.fsencode(steps[index]))
                want = os.fsencode(steps[index + 1])
                while want and seen.find(want, mark) < 0:
                    if not more():
                        print(seen.decode(errors="replace")); print("missing:", steps[index + 1], file=sys.stderr)
                        os.kill(child, signal.SIGKILL); sys.exit(99)
            while more(): pass
            print(seen.decode(errors="replace"))
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255)
            """
        return try Child.run(["python3", "-c", script, String(words.count)] + words + command)
    }
}
