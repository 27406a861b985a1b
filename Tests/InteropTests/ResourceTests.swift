import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Limits, quotas and devices that fail: an error that says what to do, and a store as it was.
    @Suite struct ResourceTests {
        let folder: TemporaryDirectory
        let program: LayerFSProgram

        init() throws {
            folder = try TemporaryDirectory()
            program = LayerFSProgram(store: folder.path + "/store")
            try program.succeed("add", "true")
        }

        /// The same under limits that bash's ulimit sets.
        private func limited(_ limits: String) -> LayerFSProgram {
            var program = self.program
            program.wrapper = ["bash", "-c", "ulimit \(limits); exec \"$@\"", "bash"]
            return program
        }

        /// The store is sound, knows of nothing new, and can be worked on.
        private func expectUnharmed(_ program: LayerFSProgram) throws {
            #expect(try program.succeed("ls", "--quiet").lines == ["true"])
            try program.succeed("fsck")
            try program.succeed("add", "false")
            #expect(try FileManager.default.contentsOfDirectory(atPath: program.store + "/staging") == [])
        }

        @Test("too few open files (EMFILE) are refused at the start, not met by a trap", arguments: [12, 20, 40, 63])
        func fewFiles(limit: Int) throws {
            for arguments in [["add", "bash"], ["ls"], ["gc"], ["fsck"]] {
                let outcome = try limited("-n \(limit)").run(arguments)
                #expect(outcome.status == 1 && outcome.output == [], "\(arguments)")
                #expect(outcome.errors.contains("only \(limit) files may be open"), "\(outcome.errors)")
                #expect(outcome.errors.contains("ulimit -n 64"), "\(outcome.errors)")
            }
            try expectUnharmed(program)
        }

        @Test("the soft limit of open files is raised; what a root runs has its own again", .needs("bash"))
        func softLimit() throws {
            try program.succeed("add", "bash")
            let outcome = try limited("-Sn 48").run("run", "bash", "--", "bash", "-c", "ulimit -Sn")
            #expect(outcome.status == 0 && outcome.lines == ["48"], "\(outcome.errors)")
        }

        // ThreadSanitizer begins with a file of its own.
        @Test(
            "a limit of file sizes (EFBIG) is an error", .needs("bash"), arguments: isSanitized ? [600] : [0, 64, 600])
        func fileSize(kilobytes: Int) throws {
            // The limit is one of the files that messages go to, too: a pipe has none.
            var program = self.program
            program.wrapper = [
                "bash", "-c", "set -o pipefail; (ulimit -f \(kilobytes); exec \"$@\") 2>&1 | cat", "bash",
            ]
            let outcome = try program.run("add", "bash")
            #expect(outcome.status == 1)
            #expect(outcome.text.contains("File too large"), "\(outcome.text)")
            try expectUnharmed(self.program)
        }

        @Test("a used-up quota (EDQUOT) is an error", .needs("mkfs.btrfs", "btrfs", "mount", root: true))
        func quota() throws {
            try MountedFileSystem.withImage(size: "128M", mkfs: ["mkfs.btrfs", "--quiet"]) { mounted in
                var program = self.program
                program.store = mounted.path + "/store"
                try program.succeed("add", "true")
                try Tool.succeed("btrfs", ["quota", "enable", mounted.path])
                try Tool.succeed("btrfs", ["quota", "rescan", "-w", mounted.path])
                try Tool.succeed("btrfs", ["qgroup", "limit", "2560K", mounted.path])
                let outcome = try program.run("add", "bash", "perl")
                #expect(outcome.status == 1 && outcome.output == [])
                #expect(outcome.errors.contains("quota"), "\(outcome.errors)")
                try Tool.succeed("btrfs", ["qgroup", "limit", "none", mounted.path])
                try expectUnharmed(program)
            }
        }

        @Test(
            "contents that may not be linked to (EPERM) are copied, and that is said",
            .needs("mkfs.ext4", "chattr", root: true))
        func forbiddenLinks() throws {
            try MountedFileSystem.withImage(size: "64M", mkfs: ["mkfs.ext4", "-q", "-F"]) { mounted in
                var program = self.program
                program.store = mounted.path + "/store"
                try program.succeed("add", "true")
                let blobs = try Tool.succeed("find", [program.store + "/blobs", "-type", "f"]).lines
                try Tool.succeed("chattr", ["+i"] + blobs)
                defer { _ = try? Tool.run("chattr", ["-i"] + blobs) }
                let made = try program.succeed("materialize", "true", mounted.path + "/root")
                #expect(
                    made.errors.contains("copied instead of shared") && made.errors.contains("EPERM"), "\(made.errors)")
                #expect(try TreeListing(mounted.path + "/root").entries.keys.contains("usr/bin/true"))
            }
        }

        /// Makes every n-th of some calls fail by scripts/fault.c; gives what the command said each time.
        private func failing(_ fault: String, _ arguments: [String]) throws -> [Tool.Outcome] {
            let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../scripts/fault.c"
            let library = folder.path + "/fault.so"
            try Tool.succeed("cc", ["-shared", "-fPIC", "-o", library, source, "-ldl"])
            var outcomes: [Tool.Outcome] = []
            while true {
                let fired = folder.path + "/fired\(outcomes.count)"
                var program = self.program
                program.wrapper = [
                    "env", "FAULT=\(fault)", "FAULT_AT=\(outcomes.count + 1)", "FAULT_FIRED=\(fired)",
                    "LD_PRELOAD=\(library)",
                ]
                let outcome = try program.run(arguments)
                guard FileManager.default.fileExists(atPath: fired) else { return outcomes }
                outcomes.append(outcome)
            }
        }

        @Test("what stands already was flushed when it was named: only the name is flushed again", .needs("cc", "env"))
        func flushedOnce() throws {
            try program.succeed("add", "cat")
            let again = try failing("FLUSH", ["add", "cat"])
            #expect(again.count == 1 && again.allSatisfy { $0.errors.contains("flush the references") }, "\(again)")
            // Named anew, all of it is.
            #expect(try failing("FLUSH", ["add", "cat", "--name", "other"]).count >= 2)
        }

        @Test("a flush that fails is never taken for one that did not: nothing is named", .needs("cc", "env"))
        func failedFlush() throws {
            let outcomes = try failing("FLUSH", ["add", "cat", "--replace"])
            // Contents, their directories, documents, the reference; the index, which can be made anew.
            #expect(outcomes.count >= 4)
            let failed = outcomes.filter { $0.status != 0 }
            #expect(failed.count >= 3)
            for outcome in failed {
                #expect(outcome.status == 1 && outcome.output == [], "\(outcome.errors)")
                #expect(outcome.errors.contains("Input/output error"), "\(outcome.errors)")
            }
            try program.succeed("fsck")
        }
    }
}
