import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// `mount` and `umount`. One after the other: what one store has mounted, `gc` keeps in another that has the same layers.
    @Suite(.serialized, .needs("mount", "umount", "findmnt", "unshare", "setpriv", root: true)) struct MountTests {
        let folder: TemporaryDirectory
        let program: LayerFSProgram

        init() throws {
            folder = try TemporaryDirectory()
            program = LayerFSProgram(store: folder.path + "/store")
            try program.succeed("add", "bash", "ls")
            try program.succeed("compose", "bash+ls", "-t", "shell")
        }

        /// Runs `body` with an empty directory; what is mounted below the folder then is unmounted.
        private func withPoint<Result>(_ name: String = "point", _ body: (String) throws -> Result) throws -> Result {
            let point = folder.path + "/" + name
            try FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: true)
            defer { MountedFileSystem.unmountAll(below: folder.path) }
            return try body(point)
        }

        /// The names of the directories that the store keeps to be mounted.
        private func cached() throws -> Set<String> {
            let names = try FileManager.default.contentsOfDirectory(atPath: program.store + "/cache/roots")
            return Set(names.filter { $0 != "empty" })
        }

        /// All inodes of these, with the times of their last change.
        private func inodes() throws -> [String] {
            try Tool.succeed("find", [program.store + "/cache/roots", "-printf", "%p %i %C@\\n"]).lines.sorted()
        }

        @Test("a mounted root is the composed tree, entry by entry", arguments: ["everything", "bash", "bash+ls+odd"])
        func isTheTree(expression: String) throws {
            let shared = try SharedStore.get()
            var program = self.program
            program.store = folder.path + "/copy"
            try Tool.succeed("cp", ["--archive", shared.program.store, program.store])
            try withPoint { point in
                let mounted = try program.succeed("mount", expression, point)
                #expect(mounted.output == [] && mounted.errors.hasPrefix("mounted \(expression) on \(point): "))
                let difference = try program.run("diff", expression, point)
                #expect((difference.status, difference.lines) == (0, []), "\(difference.errors)")
                try program.succeed("materialize", expression, folder.path + "/root", "--exact", "--link", "copy")
                try expect(TreeListing(point), equals: TreeListing(folder.path + "/root"))
                try program.succeed("umount", point)
                #expect(try FileManager.default.contentsOfDirectory(atPath: point) == [])
            }
            try program.succeed("fsck")
        }

        @Test("nothing in it can be written, not even by root, and no blob changes")
        func isReadOnly() throws {
            try withPoint { point in
                try program.succeed("mount", "shell", point)
                let before = try TreeListing(program.store, directoryTimes: false)
                for command in ["echo x >> \(point)/usr/bin/ls", "touch \(point)/new", "rm \(point)/usr/bin/bash"] {
                    let outcome = try Tool.run("bash", ["-c", command])
                    #expect(outcome.status != 0 && outcome.errors.contains("Read-only file system"), "\(command)")
                }
                try expect(TreeListing(program.store, directoryTimes: false), equals: before)
                let columns = ["--noheadings", "--raw", "-o", "SOURCE,FSTYPE,OPTIONS", point]
                #expect(try Tool.succeed("findmnt", columns).text.hasPrefix("layerfs:shell overlay ro,nodev"))
                #expect(try program.succeed("run", "shell", "--", "ls", "/").lines.contains("usr"))
            }
        }

        @Test("what was mounted once is mounted again without anything being made, layer by layer")
        func reuse() throws {
            try withPoint { point in
                let first = try program.succeed("mount", "bash", point)
                #expect(first.errors.contains("1 layer, 1 new"), "\(first.errors)")
                let one = try cached()
                try program.succeed("umount", point)
                let before = try inodes()
                let second = try program.succeed("mount", "bash", point)
                #expect(second.errors.contains("1 layer, all made before"))
                #expect(try inodes() == before)
                // Of another root only what is new in it is made.
                let shell = try withPoint("shell") { try program.succeed("mount", "bash+ls", $0) }
                #expect(shell.errors.contains("2 layers, 1 new"), "\(shell.errors)")
                #expect(try cached().isStrictSuperset(of: one) && cached().count == 2)
            }
        }

        @Test(
            "gc keeps what is mounted, in whatever namespace, and removes it when nothing names and nothing mounts it")
        func collection() throws {
            try withPoint { point in
                try program.succeed("mount", "shell", point)
                let names = try cached()
                let listing = try TreeListing(point)
                for name in ["shell", "bash", "ls"] { try program.succeed("rm", name) }
                try program.succeed("gc")
                #expect(try cached() == names)
                try expect(TreeListing(point), equals: listing)
                // Mounted in a namespace that this one does not see.
                let hidden = Process()
                hidden.executableURL = URL(fileURLWithPath: "/usr/bin/env")
                hidden.arguments = ["unshare", "--mount", "--propagation", "private", "sleep", "600"]
                try hidden.run()
                defer { if hidden.isRunning { kill(hidden.processIdentifier, SIGKILL) } }
                let link = "/proc/\(hidden.processIdentifier)/ns/mnt"
                let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/mnt")
                while try FileManager.default.destinationOfSymbolicLink(atPath: link) == own { usleep(10_000) }
                // The namespace is there a moment before its mounts are private.
                while try Tool.succeed("cat", ["/proc/\(hidden.processIdentifier)/comm"]).text != "sleep\n" {
                    usleep(10_000)
                }
                try program.succeed("umount", point)
                try program.succeed("gc")
                #expect(try cached() == names)
                kill(hidden.processIdentifier, SIGKILL)
                hidden.waitUntilExit()
                let dry = try program.succeed("gc", "--dry-run", "--json")
                #expect(try cached() == names)
                let report = try program.succeed("gc", "--json")
                #expect(try cached() == [])
                #expect(try removed(report) == removed(dry) && removed(report) > 0)
                #expect(try folder.contents("store/staging").isEmpty)
            }
        }

        private func removed(_ report: Tool.Outcome) throws -> Int {
            let object = try JSONSerialization.jsonObject(with: Data(report.output)) as? [String: Any]
            return try #require((object?["cache"] as? [String: Any])?["count"] as? Int)
        }

        @Test("files in a cached root that are named like digests are no concern of gc")
        func digestsAsNames() throws {
            let name = String(repeating: "ab", count: 32)
            let source = folder.path + "/blobs"
            try FileManager.default.createDirectory(
                atPath: source + "/\(name).\(name)", withIntermediateDirectories: true)
            try Data("x".utf8).write(to: URL(fileURLWithPath: source + "/" + name))
            try program.succeed("add", "--dir", source + ":/blobs", "--name", "odd")
            try withPoint { point in
                try program.succeed("mount", "odd", point)
                try program.succeed("umount", point)
                try program.succeed("gc")
                #expect(try program.succeed("mount", "odd", point).errors.contains("all made before"))
                #expect(try program.run("diff", "odd", point).status == 0)
            }
        }

        @Test("a mount that is killed at any moment is no hindrance for the next, and leaves nothing once that is gone")
        func killed() throws {
            try withPoint { point in
                for _ in 0..<12 {
                    let process = Process()
                    process.executableURL = URL(fileURLWithPath: LayerFSProgram.path)
                    process.arguments = ["mount", "shell", point, "--store", program.store, "--quiet"]
                    try process.run()
                    usleep(UInt32.random(in: 0..<120_000))
                    kill(process.processIdentifier, SIGKILL)
                    process.waitUntilExit()
                    MountedFileSystem.unmountAll(below: folder.path)
                    try program.succeed("mount", "shell", point)
                    #expect(try program.run("diff", "shell", point).status == 0)
                    try program.succeed("umount", point)
                    try Tool.succeed("rm", ["-r", program.store + "/cache/roots"])
                }
            }
            for name in ["shell", "bash", "ls"] { try program.succeed("rm", name) }
            try program.succeed("gc")
            #expect(try folder.contents("store/staging").isEmpty)
            try program.succeed("fsck")
        }

        @Test("what a half-finished removal left goes with the next command") func halfRemoved() throws {
            try withPoint { point in
                try program.succeed("mount", "shell", point)
                try program.succeed("umount", point)
                let name = try #require(cached().sorted().first)
                try Tool.succeed("mv", [program.store + "/cache/roots/" + name, program.store + "/staging/"])
                try program.succeed("mount", "shell", point)
                #expect(try program.run("diff", "shell", point).status == 0)
                #expect(try folder.contents("store/staging").isEmpty)
            }
        }

        @Test("without root it is refused before anything is made") func unprivileged() throws {
            try Tool.succeed("chmod", ["1777", folder.path])
            try withPoint { point in
                var other = LayerFSProgram(store: folder.path + "/other").unprivileged
                try other.succeed("add", "ls")
                try Tool.succeed("chown", ["65534", point])
                let before = try TreeListing(other.store, directoryTimes: false)
                let refused = try other.run("mount", "ls", point)
                #expect(refused.status == 1 && refused.output == [])
                for text in [point, "only root", "layerfs run", "layerfs materialize"] {
                    #expect(refused.errors.contains(text), "\(refused.errors)")
                }
                // Root of a user namespace of its own.
                other.wrapper = ["unshare", "--user", "--map-root-user", "--mount"]
                try Tool.succeed("chown", ["--recursive", "0:0", other.store])
                let mapped = try other.run("mount", "ls", point)
                #expect(mapped.status == 1 && mapped.errors.contains("only root"), "\(mapped.errors)")
                try Tool.succeed("chown", ["--recursive", "65534:65534", other.store])
                try expect(TreeListing(other.store, directoryTimes: false), equals: before)
                try program.succeed("mount", "ls", point)
                let kept = try program.unprivileged.run("umount", point)
                #expect(kept.status == 1 && kept.errors.contains("only root"), "\(kept.errors)")
                #expect(try program.run("diff", "ls", point).status == 0)
            }
        }

        @Test("the target must be there and be empty; only what layerfs mounted is unmounted")
        func targets() throws {
            try withPoint { point in
                let missing = try program.run("mount", "shell", folder.path + "/missing")
                #expect(missing.status == 2 && missing.errors.contains(folder.path + "/missing"))
                try Data("x".utf8).write(to: URL(fileURLWithPath: point + "/file"))
                for taken in [point, point + "/file"] {
                    let refused = try program.run("mount", "shell", taken)
                    #expect(refused.status == 4 && refused.errors.contains("not an empty directory"))
                }
                try FileManager.default.removeItem(atPath: point + "/file")
                let unknown = try program.run("mount", "nonesuch", point)
                #expect(unknown.status == 2 && unknown.errors.contains("nonesuch"))
                #expect(try program.run("umount", point).status == 2)
                #expect(try program.run("umount", folder.path + "/missing").status == 2)
                try Tool.succeed("mount", ["-t", "tmpfs", "layerfs:fake", point])
                let foreign = try program.run("umount", point)
                #expect(foreign.status == 2 && foreign.errors.contains("no mount that layerfs made"))
                try program.succeed("mount", "shell", point)
                // A directory in it is no mount, and what is in use stays.
                #expect(try program.run("umount", point + "/usr").status == 2)
                let busy = try Tool.run("bash", ["-c", "cd \(point)/usr; \(LayerFSProgram.path) umount \(point)"])
                #expect(busy.status == 6 && busy.errors.contains("in use"), "\(busy.errors)")
                try program.succeed("umount", point)
                #expect(try FileManager.default.contentsOfDirectory(atPath: point) == [])
            }
        }

        @Test("paths with blanks, commas, colons and backslashes are mounted and unmounted")
        func oddPaths() throws {
            let odd = #"a b,c:d\e"#
            try FileManager.default.createDirectory(
                atPath: folder.path + "/" + odd, withIntermediateDirectories: false)
            var program = self.program
            program.store = folder.path + "/" + odd + "/changes"
            try FileManager.default.createDirectory(atPath: program.store, withIntermediateDirectories: false)
            try withPoint(odd + "/point") { point in
                // A store's path cannot have a colon in LAYERFS_STORE.
                for options in [[], ["--writable", program.store]] {
                    try program.succeed(["mount", "shell", point, "--store", self.program.store] + options)
                    #expect(try program.run("diff", "shell", point, "--store", self.program.store).status == 0)
                    try program.succeed("umount", point)
                }
            }
        }

        @Test("with --writable changes go to the directory named, are there the next time, and no blob changes")
        func writable() throws {
            try withPoint { point in
                let changes = folder.path + "/changes"
                #expect(try program.run("mount", "shell", point, "--writable", changes).status == 2)
                try FileManager.default.createDirectory(atPath: changes, withIntermediateDirectories: false)
                try program.succeed("mount", "shell", point, "--writable", changes)
                let before = try TreeListing(program.store, directoryTimes: false)
                let script = "echo new > new; echo x >> usr/bin/ls; rm usr/bin/bash"
                try Tool.succeed("bash", ["-c", "cd \(point); \(script)"])
                try program.succeed("umount", point)
                try expect(TreeListing(program.store, directoryTimes: false), equals: before)
                try program.succeed("mount", "shell", point, "--writable", changes)
                let names = try Tool.succeed("find", [point, "-type", "f", "-printf", "%P\\n"]).lines
                #expect(names.contains("new") && names.contains("usr/bin/ls") && !names.contains("usr/bin/bash"))
                try program.succeed("umount", point)
                try program.succeed("fsck")
            }
        }

        @Test("a store that cannot be written says so") func readOnlyStore() throws {
            try withPoint { point in
                try MountedFileSystem.withReadOnly(program.store) { mounted in
                    var program = self.program
                    program.store = mounted.path
                    let refused = try program.run("mount", "shell", point)
                    #expect(refused.status == 1 && refused.errors.contains("cannot be written"), "\(refused.errors)")
                }
            }
        }
    }
}
