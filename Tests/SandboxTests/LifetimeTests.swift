import Glibc
import Testing

@Suite("Lifetime", .enabled(if: Caller.canMakeNamespaces, "namespaces are forbidden here"))
struct LifetimeTests {
    let root: TestRoot

    init() throws { root = try TestRoot() }

    @Test("kill -9 of the caller ends everything inside and leaves no mount", arguments: Caller.available)
    func killed(caller: Caller) throws {
        let before = try root.fingerprint()
        // setsid and a second process, so that nothing but the namespace's end reaches them.
        let script = "perl -e 'use POSIX; setsid; sleep 1000' & echo x > /etc/file; echo ready; sleep 1000"
        let child = try Probe.start(caller, root, ["bash", "-c", script])
        #expect(child.waitUntilReady())
        #expect(try !mounts().contains(root.path), "mounts are never seen outside")
        #expect(kill(child.process, SIGKILL) == 0)
        // Returns only when every process that had inherited the output is gone.
        #expect(child.finish().status == 128 + 9)
        #expect(try !mounts().contains(root.path))
        #expect(try Child.run(["grep", "-las", root.path, "--", "/proc/self/mountinfo"]).output.isEmpty)
        #expect(try root.fingerprint() == before)
    }

    @Test("The end of the command ends what it left running", arguments: Caller.available)
    func leftovers(caller: Caller) throws {
        let script = "perl -e 'use POSIX; setsid; sleep 1000' & exit 7"
        #expect(try Probe.run(caller, root, ["bash", "-c", script]).status == 7)
    }

    @Test("Process 1 collects orphans", arguments: Caller.available)
    func orphans(caller: Caller) throws {
        // The grandchild ends after its parent; as long as nobody waits for it, /proc has it. 20 s is a hang, not a measure.
        let script = """
            pid=$(perl -e 'exit if fork; $| = 1; print "$$\\n"; close STDOUT; exit')
            for ((i = 0; i < 2000; i++)); do [ -d /proc/$pid ] || exit 0; sleep 0.01; done; exit 1
            """
        #expect(try Probe.run(caller, root, ["bash", "-c", script]).status == 0)
    }

    @Test(
        "A signal to the caller reaches the command, and the caller reports its end",
        arguments: [("INT", SIGINT), ("TERM", SIGTERM), ("HUP", SIGHUP), ("QUIT", SIGQUIT), ("USR1", SIGUSR1), ("WINCH", SIGWINCH)])
    func forwarded(name: String, number: Int32) throws {
        for caller in Caller.available {
            let script = "trap 'exit 9' \(name); sleep 1000 & echo ready; wait; wait"
            // A shell without job control may have started the tests with SIGINT ignored, which is inherited.
            let reset = ["perl", "-e", "$SIG{$_} = 'DEFAULT' for qw(INT QUIT HUP); exec @ARGV"]
            let child = try Child(
                caller.prefix + reset + [Probe.path, "-e", "PATH=/bin", root.path, "bash", "-c", script])
            #expect(child.waitUntilReady())
            #expect(kill(child.process, number) == 0)
            #expect(child.finish().status == 9)
        }
    }

    @Test("An ignored SIGHUP stays ignored, as nohup promises", arguments: Caller.available)
    func ignored(caller: Caller) throws {
        let script = "echo ready; perl -e 'print \"$SIG{HUP}\\n\"'; perl -e 'print $SIG{PIPE} // \"default\", \"\\n\"'"
        let outcome = try Child.run(
            caller.prefix + ["bash", "-c", "trap '' HUP PIPE; exec \"$@\"", "bash", Probe.path, root.path, "bash", "-c", script])
        // SIGPIPE is one that layerfs ignores for itself, so it is reset.
        #expect(outcome.output == "ready\nIGNORE\ndefault\n")
    }

    private func mounts() throws -> String { try Child.run(["cat", "/proc/self/mountinfo"]).output }
}
