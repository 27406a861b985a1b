import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Bundles, archives for the kernel and file systems, in the hands of the programs they are for.
    @Suite(.needs("runc", "crun", "unshare", "cpio", "bsdcpio", "mksquashfs", "unsquashfs", root: true))
    struct ExportTargetTests {
        let store: SharedStore
        let folder: TemporaryDirectory

        init() throws {
            store = try SharedStore.get()
            folder = try TemporaryDirectory()
        }

        // MARK: Bundles

        /// crun refuses machines that mix the two kinds of cgroups; with a view of its own it does not see them.
        static let runtimes = [
            "runc --root \"$ROOT\" run \"$ID\"",
            "unshare --mount sh -c 'mount -t cgroup2 none /sys/fs/cgroup && exec crun --root \"$ROOT\" --cgroup-manager=disabled run \"$ID\"'",
        ]

        @Test("a bundle runs, with the image's command, variables and directory", arguments: runtimes) func running(
            runtime: String
        ) throws {
            let bundle = folder.path + "/bundle"
            try store.program.succeed("export", "everything", "--bundle", bundle)
            let id = "layerfs-" + UUID().uuidString.lowercased()
            let script = "export ROOT='\(folder.path)/state' ID='\(id)'; cd '\(bundle)' && \(runtime)"
            let outcome = try Tool.succeed("sh", ["-c", script])
            #expect(outcome.text == "hello there in /usr\n")
            // What it may write to is its own, not the store's.
            try Tool.succeed("sh", ["-c", "echo damage >> '\(bundle)/rootfs/usr/bin/bash'"])
            #expect(try store.program.succeed("fsck").status == 0)
        }

        @Test("the root of a bundle is that of the expression, and its configuration is the same each time")
        func bundle()
            throws
        {
            for name in ["a", "b"] {
                try store.program.succeed("export", "everything", "--bundle", folder.path + "/" + name)
            }
            #expect(try store.program.run("diff", "everything", folder.path + "/a/rootfs").lines == [])
            #expect(try folder.read("a/config.json") == folder.read("b/config.json"))
            #expect(try store.program.run("export", "shell", "--bundle", folder.path + "/a").status == 4)
            let users = try JSONSerialization.jsonObject(with: Data(folder.read("a/config.json"))) as? [String: Any]
            #expect((users?["annotations"] as? [String: String])?["of"] == "tests")
        }

        // MARK: cpio

        @Test("GNU cpio and bsdcpio unpack the tree; the bytes are the same each time", arguments: ["cpio", "bsdcpio"])
        func cpio(tool: String) throws {
            let path = folder.path
            try store.program.succeed("export", "everything", "--cpio", path + "/a")
            let piped = try store.program.succeed("export", "everything", "--cpio", "-").output
            #expect(try folder.read("a") == piped)
            let script = "mkdir '\(path)/root' && cd '\(path)/root' && \(tool) -idm --quiet < ../a"
            try Tool.succeed("sh", ["-c", script])
            // cpio has no fractions of seconds, and sets no times of links and directories.
            let found = try store.program.run("diff", "everything", path + "/root", "--ignore", "time").lines
            #expect(found == [])
            let times = try Tool.succeed("stat", ["--format=%Y", path + "/root/usr/bin/bash", "/usr/bin/bash"]).lines
            #expect(times[0] == times[1])
            #expect(try folder.read("a").count % 512 == 0)
        }

        @Test("the kernel's rule: every name has its directory before it") func order() throws {
            try store.program.succeed("export", "everything", "--cpio", folder.path + "/a", "--compression", "gzip")
            let script = "gzip -dc '\(folder.path)/a' | cpio -it --quiet"
            var seen: Set<String> = [".", ""]
            for name in try Tool.succeed("sh", ["-c", script]).lines {
                let parent = name.contains("/") ? String(name[..<name.lastIndex(of: "/")!]) : "."
                #expect(seen.contains(parent), "\(name)")
                seen.insert(name)
            }
            #expect(seen.contains("usr/bin/bash"))
        }

        // MARK: File systems

        @Test(
            "a squashfs holds the tree, and its bytes are the same each time",
            arguments: [
                [], ["--compression", "zstd", "--compression-level", "5"], ["--compression", "none"],
            ]) func squashfs(options: [String]) throws
        {
            let path = folder.path
            try store.program.succeed(["export", "everything", "--squashfs", path + "/a"] + options)
            try Tool.succeed("sleep", ["1.1"])
            try store.program.succeed(["export", "everything", "--squashfs", path + "/b"] + options)
            #expect(try folder.read("a") == folder.read("b"))
            try Tool.succeed("unsquashfs", ["-quiet", "-no-progress", "-dest", path + "/root", path + "/a"])
            let found = try store.program.run("diff", "--ignore", "time", "everything", path + "/root").lines
            #expect(found == [])
            let flat = path + "/flat"
            try store.program.succeed("export", "everything", "--tar", flat)
            // In whole seconds.
            #expect(try store.program.run("diff", flat, path + "/root").lines == [])
            let times = try Tool.succeed("unsquashfs", ["-lls", "-d", "", path + "/a"]).lines
            #expect(!times.isEmpty)
        }

        @Test(
            "an erofs holds the tree where mkfs.erofs reads tars; an older one is refused, and nothing is left",
            .needs("mkfs.erofs", "fsck.erofs")
        ) func erofs() throws {
            let path = folder.path
            let help = try Tool.run("mkfs.erofs", ["--help"])
            let canReadTar = (help.text + help.errors).contains(" --tar=")
            let outcome = try store.program.run("export", "everything", "--erofs", path + "/a")
            guard canReadTar else {
                #expect(outcome.status == 2)
                #expect(outcome.errors.contains("it cannot read a tar; erofs-utils 1.7 and newer can"))
                #expect(try folder.contents() == [])
                return
            }
            #expect(outcome.status == 0, "\(outcome.errors)")
            try Tool.succeed("sleep", ["1.1"])
            try store.program.succeed("export", "everything", "--erofs", path + "/b")
            #expect(try folder.read("a") == folder.read("b"))
            try Tool.succeed("fsck.erofs", ["--extract=" + path + "/root", path + "/a"])
            try store.program.succeed("export", "everything", "--tar", path + "/flat")
            #expect(try store.program.run("diff", path + "/flat", path + "/root").lines == [])
        }

        @Test("temporary files are where TMPDIR says, of file systems and of compressed archives") func temporary()
            throws
        {
            let path = folder.path
            try store.program.succeed("export", "shell", "--oci-archive", path + "/a")
            try Tool.succeed("gzip", [path + "/a"])
            let commands = [
                ["diff", "shell", path + "/a.gz"], ["validate", path + "/a.gz"],
                ["export", "shell", "--squashfs", path + "/x"],
            ]
            try Tool.succeed("mkdir", [path + "/tmp"])
            var program = store.program
            for command in commands {
                program.environment["TMPDIR"] = path + "/none"
                let outcome = try program.run(command)
                #expect(outcome.status >= 1 && outcome.errors.contains(path + "/none"), "\(command): \(outcome)")
                program.environment["TMPDIR"] = path + "/tmp"
                try program.succeed(command)
            }
            #expect(try folder.contents("tmp") == [])
        }

        @Test("a program that is missing or fails leaves nothing, and says why") func failing() throws {
            let path = folder.path
            var program = store.program
            program.environment["PATH"] = path + "/bin"
            let missing = try program.run("export", "shell", "--squashfs", path + "/x")
            #expect(missing.status == 2 && missing.errors.contains("squashfs-tools"))
            let script = """
                mkdir '\(path)/bin'
                printf '#!/bin/sh\\ncase $1 in -help) echo "-tar"; exit 0;; esac\\ndd bs=1000 count=1 of="$2" 2>/dev/null\\necho no space >&2\\nexit 3\\n' \
                    > '\(path)/bin/mksquashfs'
                chmod 755 '\(path)/bin/mksquashfs'
                """
            try Tool.succeed("sh", ["-c", script])
            let failed = try program.run("export", "everything", "--squashfs", path + "/x")
            #expect(failed.status == 1)
            #expect(failed.errors.contains("mksquashfs ended with status 3: no space"), "\(failed.errors)")
            #expect(try folder.contents() == ["bin", "bin/mksquashfs"])
        }

        @Test(
            "options for layers are refused where there are none",
            arguments: [
                ["--layers", "flat"], ["--max-layers", "1"], ["--estargz"],
            ]) func layers(options: [String]) throws
        {
            for target in ["--tar", "--cpio", "--squashfs"] {
                #expect(
                    try store.program.run(["export", "shell", target, folder.path + "/x"] + options).status == 64)
            }
            #expect(try folder.contents() == [])
        }
    }
}
