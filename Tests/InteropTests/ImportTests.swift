import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Images that others made: taken in, given back, and seen as their makers see them.
    @Suite struct ImportTests {
        let folder: TemporaryDirectory
        let program: LayerFSProgram
        let trip: RoundTrip

        init() throws {
            trip = try RoundTrip()
            (folder, program) = (trip.folder, trip.program)
        }

        @Test(
            "a Debian root made by mmdebstrap comes back byte for byte as a tar, entry by entry as a directory",
            .needs("mmdebstrap", root: true), .enabled(if: isCI || hasDebian, "no Debian mirror"))
        func debian() throws {
            let tar = folder.path + "/debian.tar"
            // Without what makes it twice as large and nothing else.
            let options = ["doc", "man", "locale", "info"].map { "--dpkgopt=path-exclude=/usr/share/\($0)/*" }
            try Tool.succeed("mmdebstrap", options + ["--quiet", "--variant=minbase", "--mode=root", "bookworm", tar])
            let digest = "sha256:" + (try Tool.succeed("sha256sum", [tar]).text.prefix(64))
            #expect(try trip.imported(tar, "-t", "debian").diffIDs == [digest])
            let out = try trip.exported("debian", "--oci", folder.path + "/out", "--compression", "none")
            #expect(out.diffIDs == [digest] && out.layers.map(\.digest) == [digest])
            let root = folder.path + "/root"
            try Self.unpack(tar, at: root)
            // The directory: taken in, given out as a tar, and unpacked by another.
            try program.succeed("import", "dir:" + root, "-t", "directory")
            #expect(try program.run("diff", "debian", "directory").lines == [])
            let (flat, unpacked) = (folder.path + "/flat.tar", folder.path + "/unpacked")
            try program.succeed("export", "directory", "--tar", flat)
            try Self.unpack(flat, at: unpacked)
            try RoundTrip.compare(unpacked, root)
        }

        private static func unpack(_ tar: String, at root: String) throws {
            let options = ["--xattrs", "--xattrs-include=*", "--numeric-owner", "--delay-directory-restore"]
            try Tool.succeed("mkdir", [root])
            try Tool.succeed("tar", ["-C", root] + options + ["-xpf", tar])
        }

        @Test("what comes through a pipe costs nothing when its contents are known", .needs("gzip", "zstd", "xz"))
        func pipes() throws {
            try folder.write("file", Array("content".utf8))
            let tar = folder.path + "/a.tar"
            try Tool.succeed("tar", ["-C", folder.path, "-cf", tar, "file"])
            try program.succeed("import", tar, "-t", "a")
            for tool in ["cat", "gzip -c", "zstd -qc", "xz -c"] {
                let command = "\(tool) '\(tar)' | '\(LayerFSProgram.path)' import - -t 'b-\(tool.prefix(2))'"
                let text = try Tool.succeed("env", ["LAYERFS_STORE=\(program.store)", "sh", "-c", command]).errors
                #expect(text.contains("100 %, were known, 0 B new"), "\(text)")
            }
        }

        private static let hasDebian =
            (try? Tool.run("sh", ["-c", "timeout 10 bash -c '</dev/tcp/deb.debian.org/80'"]).status) == 0

        @Test(
            "archives of tar-split's come back byte for byte", .needs("gzip"),
            .enabled(if: Corpus.isPresent("tar-split-asm"), "no corpus"), arguments: Corpus.names("tar-split-asm"))
        func tarSplit(name: String) throws {
            let packed = Corpus.folder("tar-split-asm") + "/" + name
            let tar = try Tool.succeed("gzip", ["-dc"], input: Corpus.file("tar-split-asm", name)).output
            try folder.write("plain.tar", tar)
            for (index, source) in [packed, folder.path + "/plain.tar"].enumerated() {
                let layer = "layer-\(index)"
                let digest = "sha256:" + (try Tool.succeed("sha256sum", [folder.path + "/plain.tar"]).text.prefix(64))
                #expect(try trip.imported("tar:" + source, "-t", layer, "--max-ratio", "2000").diffIDs == [digest])
                let layout = folder.path + "/" + layer
                let exported = try trip.exported(layer, "--oci", layout)
                #expect(exported.diffIDs == [digest])
                let blob = layout + "/blobs/" + exported.layers[0].digest.replacingOccurrences(of: ":", with: "/")
                #expect(try Tool.succeed("gzip", ["-dc", blob]).output == tar)
            }
        }

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
}
