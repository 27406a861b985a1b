import Testing

@Suite("Isolation", .enabled(if: Caller.canMakeNamespaces, "namespaces are forbidden here"))
struct IsolationTests {
    let root: TestRoot

    init() throws { root = try TestRoot() }

    @Test("Nothing that is done inside changes the root", arguments: Caller.available)
    func rootIsOnlyRead(caller: Caller) throws {
        let before = try root.fingerprint()
        let script = """
            set -e
            echo changed > /etc/file; echo more >> /etc/file; echo new > /etc/new; rm /bin/tty; mv /bin/stat /bin/moved
            chmod() { perl -e 'chmod 0, $ARGV[0] or die' "$1"; }; chmod /bin/id; mkdir /made
            perl -e 'truncate("/bin/env", 0) or die; utime(1, 1, "/bin/cat") or die; link("/bin/ls", "/ls") or die'
            echo x > /tmp/x; cat /etc/file /etc/new /tmp/x
            """
        let outcome = try Probe.run(caller, root, ["bash", "-c", script])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output == "changed\nmore\nnew\nx\n")
        #expect(try root.fingerprint() == before)
        #expect(try Probe.run(caller, root, ["cat", "/etc/file"]).output == "hello\n", "gone with the sandbox")
    }

    @Test("Links of the root do not redirect the mounts", arguments: Caller.available)
    func hostileMountPoints(caller: Caller) throws {
        let script = "cd $0; rmdir proc dev 2>&-; ln -s ../../../../../etc proc; ln -s /usr/bin dev; echo > sys"
        #expect(try Child.run(caller.prefix + ["bash", "-c", script, root.path]).status == 0)
        let before = try root.fingerprint()
        let inside = "[ -d /proc/self -a -c /dev/null -a -d /sys -a ! -L /proc -a ! -L /dev -a -f /usr/bin/bash ]"
        let outcome = try Probe.run(caller, root, ["bash", "-c", inside])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try root.fingerprint() == before)
    }

    @Test("No descriptor of the caller but 0, 1 and 2 is open inside", arguments: Caller.available)
    func descriptors(caller: Caller) throws {
        let script = "exec 7</ 8</etc/passwd 9>&1; exec \"$@\""
        let command = ["bash", "-c", script, "bash", Probe.path, "-e", "PATH=/bin", root.path]
        // 3 is the directory that ls itself reads.
        let listed = try Child.run(caller.prefix + command + ["ls", "/proc/self/fd"])
        #expect(listed.output == "0\n1\n2\n3\n")
        let links = "readlink /proc/1/exe /proc/1/root /proc/1/cwd /proc/1/fd/3; cat /proc/1/root/etc/file /proc/1/environ"
        let first = try Child.run(caller.prefix + command + ["bash", "-c", links])
        #expect(first.output.isEmpty, "process 1 is closed to those inside")
    }

    @Test("A directory as standard stream is refused, a closed one is /dev/null", arguments: Caller.available)
    func standardStreams(caller: Caller) throws {
        let probe = ["bash", Probe.path, "-e", "PATH=/bin", root.path]
        let directory = try Child.run(caller.prefix + ["bash", "-c", "\"$@\" < /tmp"] + probe + ["ls"])
        #expect(directory.status == 125)
        #expect(directory.errors.contains("stdin: Is a directory"))
        let closed = try Child.run(
            caller.prefix + ["bash", "-c", "\"$@\" <&- 2>&-"] + probe + ["readlink", "/proc/self/fd/0", "/proc/self/fd/2"])
        #expect(closed.output == "/dev/null\n/dev/null\n")
    }

    @Test("The environment is the given one and nothing else", arguments: Caller.available)
    func environment(caller: Caller) throws {
        let outcome = try Probe.run(caller, root, options: ["-e", "A=b=c", "-e", "EMPTY="], ["env"])
        #expect(outcome.output == "PATH=/bin\nA=b=c\nEMPTY=\n")
    }

    @Test("Working directory, host name and user are the given ones", arguments: Caller.available)
    func place(caller: Caller) throws {
        let script = "echo $PWD $(</proc/sys/kernel/hostname) $(id -u):$(id -g); echo > /tmp/x; stat -c %u:%g /tmp/x"
        let options = ["-w", "/a/b", "-h", "box", "-u", "1000:1001"]
        let outcome = try Probe.run(caller, root, options: options, ["bash", "-c", script])
        #expect(outcome.output == "/a/b box 1000:1001\n1000:1001\n", "\(outcome.errors)")
        #expect(try Probe.run(caller, root, ["id", "-u"]).output == "0\n")
        let file = try Probe.run(caller, root, options: ["-w", "/etc/file"], ["id"])
        #expect(file.status == 125)
        #expect(file.errors.contains("entering the working directory: /etc/file: Not a directory"))
    }

    @Test("/dev is minimal and works", arguments: Caller.available)
    func devices(caller: Caller) throws {
        let outcome = try Probe.run(caller, root, ["ls", "/dev"])
        let names = "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero"
        #expect(outcome.output.split(separator: "\n").joined(separator: " ") == names)
        let script = """
            echo x > /dev/null && [ "$(echo x > /dev/stdout)" = x ] && echo x > /dev/shm/x && ! echo x 2>/dev/null > /dev/full &&
            perl -e 'open(F, "<", "/dev/urandom") && read(F, $b, 8) == 8 or die; open(M, "+<", "/dev/ptmx") or die'
            """
        #expect(try Probe.run(caller, root, ["bash", "-c", script]).status == 0)
    }

    @Test("What could change or tell too much of the machine is closed", arguments: Caller.available)
    func kernelInterfaces(caller: Caller) throws {
        let script = """
            for f in /proc/sys/kernel/hostname /proc/sysrq-trigger /sys/kernel/uevent_helper; do
                ( echo b > $f ) 2>/dev/null && echo "written: $f"
            done
            for f in kcore keys timer_list; do [ ! -e /proc/$f -o ! -s /proc/$f ] || echo "shown: $f"; done
            for f in bus fs irq sys; do perl -e 'exit !mkdir("/proc/$ARGV[0]/x")' $f && echo "made: $f"; done
            perl -e 'syscall(165, "t", "/tmp", "tmpfs", 0, 0) == 0 and print "mounted\\n"' # mount(2) of x86-64
            perl -ne 'print if /^(NoNewPrivs|Seccomp|CapBnd):/' /proc/self/status
            """
        let outcome = try Probe.run(caller, root, ["bash", "-c", script])
        #expect(outcome.output == "CapBnd:\t00000000a00425fb\nNoNewPrivs:\t1\nSeccomp:\t2\n", "\(outcome.output)")
    }

    @Test("Changes take no more memory than allowed", arguments: Caller.available)
    func scratchLimit(caller: Caller) throws {
        let outcome = try Probe.run(
            caller, root, options: ["-s", "1048576"], ["bash", "-c", "cat /dev/zero > /big; stat -c %s /big"])
        let size = try #require(Int(outcome.output.dropLast()))
        #expect(size <= 1_048_576)
        #expect(outcome.errors.contains("No space left on device"))
    }
}
