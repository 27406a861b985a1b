import Bytes
import Foundation
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

struct TraceTests {
    @Test(
        arguments: [
            (#"openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3"#, "/etc/ld.so.cache"),
            (#"1234 openat(AT_FDCWD, "/a", O_RDONLY) = 3"#, "/a"),
            (#"[pid 1234] openat(AT_FDCWD, "/a", O_RDONLY) = 3"#, "/a"),
            (#"[pid  1234] open("/a", O_RDONLY)      = 3"#, "/a"),
            (#"execve("/bin/ls", ["ls"], 0x7ffe /* 23 vars */) = 0"#, "/bin/ls"),
            (#"12:34:56 open("/a", O_RDONLY) = 3"#, "/a"), (#"1234  12:34:56.789012 open("/a", O_RDONLY) = 3"#, "/a"),
            (#"1700000000.123456 (+     0.000123) open("/a", 0) = 3"#, nil),
            (#"     0.000123 open("/a", O_RDONLY) = 3"#, "/a"),
            (#"openat(AT_FDCWD</home>, "a/b", O_RDONLY) = 3</home/a/b>"#, "/home/a/b"),
            (#"openat(5</usr/share>, "x=1", O_RDONLY) = 6</usr/share/x=1>"#, "/usr/share/x=1"),
            (#"openat(5, "x", O_RDONLY) = 6"#, "x"),
            (#"openat2(AT_FDCWD, "/a", {flags=O_RDONLY, resolve=0}, 24) = 3"#, "/a"),
            (#"open("/caf\351\t\"\\\x41", O_RDONLY) = 3"#, "/caf\u{0}"),
            (#"open("/a) = 3", O_RDONLY) = -1 ENOENT (No such file)"#, nil),
            (#"open("/a", O_RDONLY) = -1 EACCES (Permission denied)"#, nil),
            (#"open("/a", O_WRONLY|O_CREAT, 0666) = 3"#, nil),
            (#"open("/a", O_RDWR) = 3"#, "/a"), (#"open("/a", O_RDONLY) = ?"#, nil),
            (#"open("/a"..., O_RDONLY) = 3"#, nil),
            (#"stat("/a", {st_mode=0}) = 0"#, nil), (#"openat(AT_FDCWD, "/a", O_RDONLY"#, nil),
            (#"open(0x1234, 0) = 3"#, nil),
            (#"write(1, "open(\"/a\", O_RDONLY) = 3", 24) = 24"#, nil), ("+++ exited with 0 +++", nil),
            (#"execveat(3, "", ["x"], NULL, AT_EMPTY_PATH) = 0"#, nil), (#"open("", O_RDONLY) = 3"#, nil),
        ] as [(String, String?)])
    func aLineTellsWhatWasOpened(_ line: String, _ path: String?) {
        let escaped = ByteString("/caf" as String) + ByteString([0xe9, 0x09, 0x22, 0x5c, 0x41])
        let expected = path.map { $0 == "/caf\u{0}" ? escaped : ByteString($0) }
        #expect(StraceLog(Array(line.utf8)).opened == [expected].compactMap(\.self))
    }

    @Test func aCallInTwoPartsIsOne() {
        let log = """
            10 openat(AT_FDCWD, "/a", O_RDONLY <unfinished ...>
            11 openat(AT_FDCWD, "/b", O_RDONLY <unfinished ...>
            10 <... openat resumed>)             = 3
            11 <... openat resumed>) = -1 ENOENT (No such file or directory)
            11 execve("/bin/x", ["x"], 0x1 /* 2 vars */ <unfinished ...>
            12 <... execve resumed>) = 0
            11 <... execve resumed>)             = 0
            """
        let trace = StraceLog(Array(log.utf8))
        #expect(trace.opened == ["/a", "/bin/x"] && trace.executed == ["/bin/x"])
    }

    @Test func anyLogIsReadWithoutATrap() {
        var random = SeededGenerator(seed: 11)
        let seeds = [
            #"[pid 12] 12:34:56.7 openat(AT_FDCWD</x>, "/a\351\x4", O_RDONLY) = 3</a>"#, #"1 <... open resumed>) = 3"#,
            #"execve("/b", ["\""], 0x1) = 0"#, #"2 open("/a" <unfinished ...>"#,
        ].map { Array($0.utf8) }
        for _ in 0..<fuzzRounds {
            var bytes = seeds.shuffled(using: &random).joined(separator: [0x0a]).map { $0 }
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes.remove(at: index)
                } else {
                    bytes[index] = UInt8.random(in: 0...255, using: &random)
                }
            }
            _ = StraceLog(bytes).opened
        }
    }

    @Test func whatALogNamesIsTakenAndWhatItCannotNameIsSaid() throws {
        let fixture = try SourceFixture(
            """
            echo 1 > one; ln -s one link
            cat > log <<END
            open("$PWD/link", O_RDONLY) = 3
            open("$PWD/gone", O_RDONLY) = 3
            open("relative", O_RDONLY) = 3
            open("/proc/self/maps", O_RDONLY) = 3
            open("/dev/null", O_RDWR) = 3
            END
            """)
        let plan = try fixture.plan { $0.traces = [ByteString(fixture.directory + "/log")] }
        #expect(plan.entries.map(\.path.name).sorted() == ["link", "one"])
        #expect(plan.warnings.count == 1 && plan.notes.count == 1)
        let origin = PlanOrigin.trace(ByteString(fixture.directory + "/log"))
        #expect(plan.entries.allSatisfy { $0.origin == origin })
    }

    @Test func secretsThatWereOpenedAreDenied() throws {
        let fixture = try SourceFixture(#"echo 'open("/etc/shadow", O_RDONLY) = 3' > log"#)
        let log = ByteString(fixture.directory + "/log")
        #expect { try fixture.plan { $0.traces = [log] } } throws: {
            DenyListTests.rules($0) == ["/etc/shadow passwords"]
        }
        let plan = try fixture.plan {
            $0.traces = [log]
            $0.excluded = [try PathGlob("/etc")]
        }
        #expect(plan.entries.isEmpty)
        #expect(throws: LayerFSError.self) { try fixture.plan { $0.traces = ["/no/such/log"] } }
    }

    @Test(.enabled(if: Tool.isAvailable("strace"), "strace is not installed"))
    func aRealLogBringsTheProgramAndWhatTheKernelOpensForIt() throws {
        let fixture = try SourceFixture()
        for options in [["-f"], ["-f", "-tt", "-y"], ["-r"]] {
            let log = fixture.directory + "/log"
            let run = try Tool.run("strace", options + ["-o", log, "sh", "-c", "cat /etc/passwd; cat /etc/group"])
            try #require(run.status == 0, "\(run.errors)")
            let paths = SourceFixture.paths(try fixture.tree { $0.traces = [ByteString(log)] })
            #expect(paths.contains { $0.hasSuffix("/libc.so.6") } && paths.contains { $0.contains("/ld-") })
            if options.contains("-f") { #expect(paths.contains("/etc/passwd") && paths.contains("/etc/group")) }
        }
    }
}
