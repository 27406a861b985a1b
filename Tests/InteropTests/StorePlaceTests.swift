import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Where stores lie, whose they are, and what umask does to them.
    @Suite struct StorePlaceTests {
        let folder: TemporaryDirectory
        let program: LayerFSProgram

        init() throws {
            folder = try TemporaryDirectory()
            program = LayerFSProgram(store: folder.path + "/store")
        }

        @Test("a store on a network file system is read and not written", .needs("bindfs", root: true))
        func networkFileSystem() throws {
            try program.succeed("add", "ls")
            let place = folder.path + "/remote"
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
            // A local mirror that the kernel knows as one of sshfs.
            // It goes on in the background, and must not hold descriptors by which its start is waited for.
            let mount = #"for n in $(ls /proc/self/fd); do [ $n -lt 3 ] || eval "exec $n>&-"; done; exec "$@""#
            try Tool.succeed("bash", ["-c", mount, "bash", "bindfs", "-o", "subtype=sshfs", folder.path, place])
            defer { _ = try? Tool.run("umount", ["--lazy", place]) }
            var program = self.program
            program.store = place + "/store"
            #expect(try program.succeed("ls", "--quiet").lines == ["ls"])
            try program.succeed("fsck")
            try program.succeed("materialize", "ls", folder.path + "/root")
            let before = try TreeListing(folder.path + "/store")
            for arguments in [["add", "cat"], ["rm", "ls"], ["gc"], ["reindex"], ["fsck", "--repair"]] {
                let outcome = try program.run(arguments)
                #expect(outcome.status == 1 && outcome.output == [], "\(arguments)")
                for text in [program.store, "network file system (fuse.sshfs)", "local disk"] {
                    #expect(outcome.errors.contains(text), "\(outcome.errors)")
                }
            }
            try expect(TreeListing(folder.path + "/store"), equals: before)
            program.store = place + "/new"
            #expect(try program.run("add", "cat").status == 1)
        }

        @Test(
            "root does not open a user's store unless it is allowed, or sudo was called by him",
            .needs("setpriv", root: true))
        func foreignStore() throws {
            try Tool.succeed("chmod", ["755", folder.path])
            try program.succeed("add", "ls")
            try Tool.succeed("chown", ["-R", "1234:1234", program.store])
            let refused = try program.run("ls")
            #expect(refused.status == 1)
            for text in ["belongs to the user 1234", "LAYERFS_TRUST='\(program.store)'"] {
                #expect(refused.errors.contains(text), "\(refused.errors)")
            }
            for variables in [
                ["LAYERFS_TRUST": program.store], ["LAYERFS_TRUST": "/else:\(program.store)"], ["LAYERFS_TRUST": "*"],
                ["SUDO_UID": "1234"],
            ] {
                var allowed = program
                allowed.environment = variables
                #expect(try allowed.succeed("ls", "--quiet").lines == ["ls"])
            }
            // The variable of sudo means nothing to those who are not root.
            var other = program
            other.wrapper = ["setpriv", "--reuid", "1235", "--regid", "1235", "--clear-groups"]
            other.environment = ["SUDO_UID": "1234"]
            #expect(try other.run("ls").status == 1)
        }

        @Test("a store that its group may write to is added to by its members", .needs("setpriv", root: true))
        func groupStore() throws {
            try Tool.succeed("chmod", ["755", folder.path])
            try FileManager.default.createDirectory(atPath: program.store, withIntermediateDirectories: false)
            try Tool.succeed("chown", ["1234:1300", program.store])
            try Tool.succeed("chmod", ["2775", program.store])
            func member(_ user: Int) -> LayerFSProgram {
                var program = self.program
                program.wrapper = [
                    "setpriv", "--reuid", "\(user)", "--regid", "1300", "--clear-groups", "sh", "-c",
                    "umask 002; exec \"$@\"", "sh",
                ]
                program.environment = ["LAYERFS_TRUST": program.store]
                return program
            }
            for (user, name) in [(1234, "ls"), (1235, "cat"), (1234, "echo"), (1235, "true")] {
                try member(user).succeed("add", name)
                try member(user).succeed("fsck")
            }
            try member(1235).succeed("rm", "ls")
            try member(1234).succeed("gc")
            try member(1235).succeed("compose", "cat+echo", "-t", "both")
            #expect(try member(1234).succeed("ls", "--quiet").lines.sorted() == ["both", "cat", "echo", "true"])
            try member(1234).succeed("fsck")
        }

        @Test("no umask lets everybody write to a store, or changes a root or an image", .needs("sh"))
        func umask() throws {
            var listings: [TreeListing] = []
            var images: [[UInt8]] = []
            for mask in ["000", "022", "077"] {
                var program = self.program
                program.store = folder.path + "/store\(mask)"
                program.wrapper = ["sh", "-c", "umask \(mask); exec \"$@\"", "sh"]
                try program.succeed("add", "ls", "cat")
                try program.succeed("materialize", "ls+cat", folder.path + "/root\(mask)")
                images.append(try program.succeed("export", "ls+cat", "--tar", "-").output)
                listings.append(try TreeListing(folder.path + "/root\(mask)"))
                let open = try Tool.succeed("find", [program.store, "-perm", "-002", "!", "-type", "l"]).lines
                #expect(open == [])
                try program.succeed("fsck")
            }
            for listing in listings { expect(listing, equals: listings[0]) }
            #expect(images.allSatisfy { $0 == images[0] })
        }

        @Test(
            "setuid and sticky bits are in roots and images, and never on an inode of the store",
            .needs("tar", root: true))
        func specialBits() throws {
            let file = folder.path + "/tool"
            try Tool.succeed("cp", ["/bin/true", file])
            try Tool.succeed("chmod", ["4755", file])
            try Tool.succeed("mkdir", ["-m", "1777", folder.path + "/spool"])
            try program.succeed(
                "add", "--name", "bits", "--file", "\(file):/usr/bin/tool", "--dir", "\(folder.path)/spool:/spool")
            // A plain file of the same content shares the blob.
            try Tool.succeed("chmod", ["755", file])
            try program.succeed("add", "--name", "plain", "--file", "\(file):/usr/bin/plain")
            try program.succeed("materialize", "bits+plain", folder.path + "/root")
            func stat(_ path: String) throws -> String {
                try Tool.succeed("stat", ["-c", "%a %h", folder.path + "/root/" + path]).lines[0]
            }
            #expect(try stat("usr/bin/tool") == "4755 1")
            #expect(try stat("usr/bin/plain") == "755 2")
            #expect(try stat("spool").hasPrefix("1777 "))
            #expect(try Tool.succeed("find", [program.store, "-type", "f", "-perm", "/7000"]).lines == [])
            try program.succeed("export", "bits", "--tar", folder.path + "/bits.tar")
            let listing = try Tool.succeed("tar", ["-tvf", folder.path + "/bits.tar"]).lines
            #expect(listing.contains { $0.hasPrefix("-rwsr-xr-x") && $0.hasSuffix("usr/bin/tool") })
            #expect(listing.contains { $0.hasPrefix("drwxrwxrwt") && $0.hasSuffix("spool/") })
            try program.succeed("fsck")
        }
    }
}
