import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// `LAYERFS_STORE=/mine:/shared`: users of one machine share a base.
    @Suite struct FurtherStoreTests {
        let folder: TemporaryDirectory
        let shared: LayerFSProgram
        /// Works on a store of its own beside the shared one.
        let program: LayerFSProgram

        init() throws {
            folder = try TemporaryDirectory()
            shared = LayerFSProgram(store: folder.path + "/shared")
            program = LayerFSProgram(store: folder.path + "/mine:" + folder.path + "/shared")
            try shared.succeed("add", "--name", "base", "bash", "ls")
        }

        @Test("layers there are listed, composed, run, materialized by hard links, exported, and cost nothing")
        func use() throws {
            try program.succeed("add", "cat")
            try program.succeed("compose", "base+cat", "-t", "shell")
            let names = try program.succeed("ls").lines
            #expect(names.contains { $0.hasPrefix("base ") && $0.hasSuffix(folder.path + "/shared") })
            #expect(names.contains { $0.hasPrefix("cat ") && $0.hasSuffix("-") })
            // libc is there already.
            let own = try program.succeed("du", "--json").text
            #expect(own.contains("\"name\""))
            let libc = try Tool.succeed("sh", ["-c", "find '\(folder.path)/mine/blobs' -size +500k"]).lines
            #expect(libc == [])
            let made = try program.succeed("materialize", "shell", folder.path + "/root")
            #expect(!made.errors.contains("copied instead of shared"), "\(made.errors)")
            try program.succeed("export", "shell", "--oci", folder.path + "/image")
            try program.succeed("fsck")
            try shared.succeed("fsck")
            // The same bytes as from one store.
            let alone = LayerFSProgram(store: folder.path + "/alone")
            try alone.succeed("add", "--name", "base", "bash", "ls")
            try alone.succeed("add", "cat")
            let expected = try alone.succeed("export", "base+cat", "--tar", "-").output
            let isSame = try program.succeed("export", "shell", "--tar", "-").output == expected
            #expect(isSame)
        }

        @Test(
            "an unprivileged user shares root's store, whose inodes he may not link to", .needs("setpriv", root: true))
        func unprivileged() throws {
            try Tool.succeed("chmod", ["755", folder.path])
            let home = folder.path + "/home"
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
            try Tool.succeed("chown", ["65534:65534", home])
            var user = program.unprivileged
            user.store = home + "/mine:" + folder.path + "/shared"
            try user.succeed("add", "cat")
            try user.succeed("materialize", "base+cat", home + "/root")
            try user.succeed("materialize", "base+cat", home + "/root2")
            #expect(try TreeListing(home + "/root").entries.keys.contains("usr/bin/bash"))
            let foreign = try Tool.succeed("find", [home, "!", "-user", "65534"]).lines
            #expect(foreign == [])
            #expect(try user.run("rm", "base").status == 2)
            try user.succeed("gc")
            try user.succeed("fsck")
            try shared.succeed("fsck")
        }

        @Test("on another file system contents there are copied, and that is said", .needs("mount", root: true))
        func otherFileSystem() throws {
            try program.succeed("add", "cat")
            try MountedFileSystem.withMemory(options: "size=64m") { mounted in
                let made = try program.succeed("materialize", "base", mounted.path + "/root")
                #expect(
                    made.errors.contains("copied instead of shared") && made.errors.contains("EXDEV"), "\(made.errors)")
                #expect(try TreeListing(mounted.path + "/root").entries.keys.contains("usr/bin/bash"))
            }
        }

        @Test("one that is gone is named, with the contents that it had")
        func gone() throws {
            try program.succeed("add", "cat")
            try program.succeed("compose", "base+cat", "-t", "shell")
            try Tool.succeed("mv", [folder.path + "/shared", folder.path + "/away"])
            let unknown = try program.run("show", "base")
            #expect(unknown.status == 2 && unknown.errors.contains(folder.path + "/shared"), "\(unknown.errors)")
            let outcome = try program.run("materialize", "shell", folder.path + "/root")
            #expect(outcome.status == 5)
            for text in ["sha256:", folder.path + "/shared", "Bring it back"] {
                #expect(outcome.errors.contains(text), "\(outcome.errors)")
            }
            let check = try program.run("fsck")
            #expect(check.status == 5 && check.text.contains("it may be in \(folder.path)/shared"), "\(check.text)")
            try Tool.succeed("mv", [folder.path + "/away", folder.path + "/shared"])
            try program.succeed("fsck")
        }
    }
}
