import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Images that others made: taken in, given back, and seen as their makers see them.
    @Suite struct ImportTests {
        let folder: TemporaryDirectory
        let program: LayerFSProgram

        init() throws {
            folder = try TemporaryDirectory()
            program = LayerFSProgram(store: folder.path + "/store")
        }

        /// What `--json` says, as far as tests ask.
        private struct Report: Decodable {
            var diffIDs: [String]
            var manifest: Manifest?

            struct Manifest: Decodable {
                var digest: String

                init(from decoder: any Decoder) throws {
                    // `import` writes the digest, `export` a descriptor.
                    if let text = try? decoder.singleValueContainer().decode(String.self) {
                        digest = text
                    } else {
                        digest = try decoder.container(keyedBy: Key.self).decode(String.self, forKey: .digest)
                    }
                }

                enum Key: CodingKey { case digest }
            }
        }

        private func imported(_ arguments: String...) throws -> Report {
            let output = try program.succeed(["import", "--json"] + arguments).output
            return try #require(try JSONDecoder().decode([Report].self, from: Data(output)).first)
        }

        private func exported(_ arguments: String...) throws -> Report {
            try JSONDecoder().decode(Report.self, from: Data(program.succeed(["export", "--json"] + arguments).output))
        }

        /// Compares the root that layerfs makes of `name` with `root`.
        private func expectRoot(of name: String, equals root: String) throws {
            let made = folder.path + "/made-" + name
            try program.succeed("materialize", name, made, "--exact", "--devices")
            expect(try TreeListing(made), equals: try TreeListing(root))
            let attributes = ["--absolute-names", "--dump", "--recursive", "--match=-", "."]
            if Tool.isAvailable("getfattr") {
                let (ours, theirs) = try (
                    Tool.succeed("sh", ["-c", "cd $0 && getfattr \(attributes.joined(separator: " "))", made]).text,
                    Tool.succeed("sh", ["-c", "cd $0 && getfattr \(attributes.joined(separator: " "))", root]).text
                )
                #expect(ours == theirs)
            }
        }

        /// Makes an image of two layers with buildah: removed, replaced and opaque directories, links, a capability, an odd name.
        private func build(_ buildah: ([String]) throws -> Tool.Outcome) throws {
            func line(_ arguments: String...) throws -> String { try buildah(arguments).lines.last ?? "" }
            let base = try line("from", "scratch")
            let lower = try line("mount", base)
            try Tool.succeed(
                "sh",
                [
                    "-c",
                    """
                    set -e; cd $0; mkdir -p usr/bin data/sub/deep etc; ln -s usr/bin bin; cp /usr/bin/true usr/bin/true
                    cp /usr/bin/true usr/bin/ping; setcap cap_net_raw+ep usr/bin/ping; chmod 4755 usr/bin/true
                    echo a >data/a; ln data/a data/hard; echo b >data/sub/b; echo c >data/sub/deep/c; mkfifo data/fifo
                    chown 1234:5678 data/a; touch -d @1000000000.5 data/a; head -c 300000 /dev/zero >data/zeros
                    """, lower,
                ])
            _ = try line("umount", base)
            _ = try line("commit", "--quiet", "--rm", base, "localhost/base")
            let next = try line("from", "localhost/base")
            let upper = try line("mount", next)
            try Tool.succeed(
                "sh",
                [
                    "-c",
                    """
                    set -e; cd $0; rm data/a; rm -r data/sub; mkdir data/sub; echo new >data/sub/new; rm bin; mkdir bin
                    echo x >"data/$(printf 'n\\377\\376')"; ln -s ../data etc/link; chmod 1777 data
                    """, upper,
                ])
            _ = try line("umount", next)
            _ = try line(
                "config", "--env", "A=b", "--cmd", "/usr/bin/true", "--label", "of=tests", "--workingdir", "/data", next
            )
            _ = try line("commit", "--quiet", "--rm", next, "localhost/image")
        }

        @Test(
            "an image of buildah's comes back with its layers, and with its manifest where the bytes are kept",
            .needs("buildah", "setcap", root: true))
        func buildahImage() throws {
            defer { MountedFileSystem.unmountAll(below: folder.path) }
            let options = [
                "--root", folder.path + "/storage", "--runroot", folder.path + "/run", "--storage-driver", "vfs",
            ]
            func buildah(_ arguments: [String]) throws -> Tool.Outcome {
                try Tool.succeed("buildah", options + arguments)
            }
            try build(buildah)
            let layout = folder.path + "/layout"
            for (name, compression) in [("gzip", "gzip"), ("zstd", "zstd")] {
                _ = try buildah([
                    "push", "--quiet", "--compression-format", compression, "localhost/image",
                    "oci:\(layout)-\(name):image",
                ])
                let first = try imported("oci:\(layout)-\(name):image", "-t", name)
                #expect(first.diffIDs.count == 2)
                #expect(try exported(name, "--oci", folder.path + "/out-" + name).diffIDs == first.diffIDs)
                let kept = try imported("oci:\(layout)-\(name):image", "-t", "kept-" + name, "--keep-compressed")
                #expect(
                    try exported("kept-" + name, "--oci", folder.path + "/kept-" + name).manifest?.digest
                        == kept.manifest?.digest)
            }
            _ = try buildah(["push", "--quiet", "localhost/image", "docker-archive:\(folder.path)/archive:image:1"])
            let archive = try imported("docker-archive:\(folder.path)/archive", "-t", "archived")
            #expect(try exported("archived", "--docker", folder.path + "/again").diffIDs == archive.diffIDs)

            let container = try buildah(["from", "localhost/image"]).lines.last ?? ""
            let root = try buildah(["mount", container]).lines.last ?? ""
            try expectRoot(of: "gzip", equals: root)
            _ = try buildah(["umount", container])
            // And what layerfs gives back is the same image to buildah.
            let given = try buildah(["from", "oci:\(folder.path)/out-zstd:zstd"]).lines.last ?? ""
            try expectRoot(of: "zstd", equals: try buildah(["mount", given]).lines.last ?? "")
            _ = try buildah(["umount", given])
            let checked = try program.succeed("fsck")
            #expect(checked.errors.contains("all is well"))
        }

        @Test(
            "a Debian root made by mmdebstrap comes back byte for byte", .needs("mmdebstrap", root: true),
            .enabled(if: isCI || hasDebian, "no Debian mirror"))
        func debian() throws {
            let tar = folder.path + "/debian.tar"
            try Tool.succeed("mmdebstrap", ["--quiet", "--variant=essential", "--mode=root", "bookworm", tar])
            let digest = "sha256:" + (try Tool.succeed("sha256sum", [tar]).text.prefix(64))
            #expect(try imported(tar, "-t", "debian").diffIDs == [digest])
            #expect(try exported("debian", "--oci", folder.path + "/out").diffIDs == [digest])
            // The same root through a pipe, compressed, costs nothing.
            for tool in ["gzip", "zstd", "xz"] where Tool.isAvailable(tool) {
                let packed = try Tool.succeed(tool, ["-1", "-c", tar]).output
                let text = try Tool.succeed(
                    "env",
                    ["LAYERFS_STORE=\(program.store)", LayerFSProgram.path, "import", "-", "-t", "debian-" + tool],
                    input: packed
                ).errors
                #expect(text.contains("100 %, were known, 0 B new"), "\(text)")
            }
            let root = folder.path + "/root"
            try Tool.succeed("mkdir", [root])
            try Tool.succeed("tar", ["-C", root, "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf", tar])
            try expectRoot(of: "debian", equals: root)
        }

        private static let hasDebian =
            (try? Tool.run("sh", ["-c", "timeout 10 bash -c '</dev/tcp/deb.debian.org/80'"]).status) == 0

        @Test("an import runs no other program", .needs("strace", "gzip"), arguments: ["gzip", "zstd", "xz"])
        func runsNothing(tool: String) throws {
            try #require(Tool.isAvailable(tool))
            try folder.write("file", Array("content".utf8))
            let tar = folder.path + "/a.tar"
            try Tool.succeed("tar", ["-C", folder.path, "-cf", tar, "file"])
            try folder.write("a.tar.packed", try Tool.succeed(tool, ["-c", tar]).output)
            // A PATH on which the decompressors are traps.
            for name in ["gzip", "unpigz", "igzip", "zstd", "xz", "tar"] {
                try folder.write(name, Array("#!/bin/sh\ntouch \(folder.path)/canary\n".utf8))
                try Tool.succeed("chmod", ["755", folder.path + "/" + name])
            }
            let log = folder.path + "/log"
            try Tool.succeed(
                "strace",
                [
                    "-f", "-qq", "-e", "trace=execve,execveat", "-o", log, "env", "PATH=\(folder.path):/usr/bin:/bin",
                    "LAYERFS_STORE=\(program.store)", LayerFSProgram.path, "import", tar + ".packed", "-t", "a",
                ])
            let calls = String(decoding: try folder.read("log"), as: UTF8.self).split(separator: "\n").filter {
                $0.contains("exec") && $0.hasSuffix("= 0")
            }
            // That of env, and env's of layerfs.
            #expect(calls.count == 2, "\(calls)")
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/canary"))
        }

        @Test("a bomb of 4 GiB ends in a clear error in little memory", .needs("gzip", "python3")) func bomb() throws {
            let make = """
                import sys, tarfile, zlib
                t = tarfile.TarInfo('big'); t.size = 4 << 30
                c = zlib.compressobj(9, zlib.DEFLATED, 31); out = open(sys.argv[1], 'wb')
                out.write(c.compress(t.tobuf(tarfile.USTAR_FORMAT))); z = bytes(1 << 24)
                for i in range(256): out.write(c.compress(z))
                out.write(c.compress(bytes(1024))); out.write(c.flush())
                """
            let file = folder.path + "/bomb.tar.gz"
            try Tool.succeed("python3", ["-c", make, file])
            let measure = """
                import os, resource, subprocess, sys
                p = subprocess.run(sys.argv[1:], stderr=subprocess.PIPE)
                print(p.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); print(p.stderr.decode())
                """
            let outcome = try Tool.succeed(
                "python3",
                [
                    "-c", measure, LayerFSProgram.path, "import", file, "-t", "bomb", "--store", program.store,
                    "--progress", "none",
                ])
            let numbers = outcome.lines[0].split(separator: " ").compactMap { Int($0) }
            #expect(numbers.first == 5 && outcome.text.contains("decompression bomb"), "\(outcome.text)")
            #expect(numbers.last.map { $0 < 100 << 10 } == true, "\(numbers) KiB")
            #expect(try program.succeed("ls").lines.count <= 1)
        }
    }

    /// Images that a real Docker built.
    @Suite(.needs("docker", "dockerd", "containerd", "runc", root: true), .docker) struct DockerImportTests {
        @Test("an image that Docker built of several layers comes back with its layers, configuration and tree")
        func saved() throws {
            let docker = try #require(DockerTrait.daemon)
            let folder = try TemporaryDirectory()
            let program = LayerFSProgram(store: folder.path + "/store")
            try program.succeed("add", "bash", "ls", "rm", "mkdir", "ln")
            let base = try program.succeed("export", "bash+ls+rm+mkdir+ln", "--tar", "-").output
            try docker.succeed(["import", "-", "base:1"], input: base)
            for (name, from, script) in [
                (
                    "lower", "base:1",
                    "mkdir -p /data/sub /keep; echo a >/data/a; echo b >/data/sub/b; ln /data/a /data/hard"
                ),
                (
                    "upper", "lower",
                    "rm /data/a; rm -r /data/sub; mkdir /data/sub; echo n >/data/sub/n; echo c >/keep/c"
                ),
            ] {
                try docker.succeed(["run", "--name", "c-" + name, "--network", "none", from, "bash", "-c", script])
                try docker.succeed([
                    "commit", "--change", "ENV BY=\(name)", "--change", "WORKDIR /data", "c-" + name, name,
                ])
            }
            let archive = folder.path + "/saved.tar"
            try docker.succeed(["save", "--output", archive, "upper"])
            try program.succeed("import", "docker-archive:" + archive, "-t", "saved")
            try program.succeed("export", "saved", "--docker", folder.path + "/again.tar", "--name", "again:1")
            try docker.succeed(["load", "--input", folder.path + "/again.tar"])
            func inspect(_ name: String, _ format: String) throws -> [String] {
                try docker.succeed(["inspect", "--format", format, name]).lines
            }
            // The same image to Docker: its ID is the digest of its configuration.
            #expect(try inspect("again:1", "{{.Id}}") == inspect("upper", "{{.Id}}"))
            #expect(try inspect("again:1", "{{.RootFS.Layers}}") == inspect("upper", "{{.RootFS.Layers}}"))
            let container = try docker.succeed(["create", "upper", "bash"]).lines[0]
            try docker.succeed(["export", "--output", folder.path + "/flat.tar", container])
            let (root, made) = (folder.path + "/root", folder.path + "/made")
            try Tool.succeed("mkdir", [root])
            try Tool.succeed("tar", ["-C", root, "--numeric-owner", "-xpf", folder.path + "/flat.tar"])
            // Docker's own mount points in a container.
            for name in [".dockerenv", "dev", "etc", "proc", "sys"] {
                try Tool.succeed("rm", ["-rf", root + "/" + name])
            }
            try program.succeed("materialize", "saved", made, "--exact")
            for name in [".dockerenv", "dev", "etc", "proc", "sys"] {
                try Tool.succeed("rm", ["-rf", made + "/" + name])
            }
            expect(try TreeListing(made), equals: try TreeListing(root))
        }
    }
}
