import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// eStargz layers, read by another reader, and by engines that do not know them.
    @Suite(.needs("python3", "podman", "skopeo", "gzip", root: true)) struct StargzTests {
        let store: SharedStore
        let folder: TemporaryDirectory

        init() throws {
            store = try SharedStore.get()
            folder = try TemporaryDirectory()
        }

        /// Reads a layer as docs/estargz.md of stargz-snapshotter says: footer, index, then each file by its offset alone. Prints
        /// the digest of the index, and each path with the digest of what was read.
        static let reader = """
            import gzip, hashlib, io, json, sys, tarfile, zlib
            layer = open(sys.argv[1], 'rb').read()
            footer = layer[-51:]
            assert footer[:4] == b'\\x1f\\x8b\\x08\\x04' and footer[10:16] == b'\\x1a\\x00SG\\x16\\x00', footer
            assert footer[32:38] == b'STARGZ' and gzip.decompress(footer) == b''
            offset = int(footer[16:32], 16)
            toc = tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer[offset:-51])))
            member = toc.next()
            assert member.name == 'stargz.index.json', member
            index = toc.extractfile(member).read()
            print('index', 'sha256:' + hashlib.sha256(index).hexdigest())
            index = json.loads(index)
            assert index['version'] == 1
            files, sizes = {}, {}
            for entry in index['entries']:
                if entry['type'] not in ('reg', 'chunk'): continue
                if entry['type'] == 'reg': files[entry['name']], sizes[entry['name']] = hashlib.sha256(), (entry.get('size', 0), entry['digest'])
                if 'offset' not in entry: continue
                content = zlib.decompressobj(31).decompress(layer[entry['offset']:], entry['chunkSize'])
                assert len(content) == entry['chunkSize'], entry
                assert entry['chunkDigest'] == 'sha256:' + hashlib.sha256(content).hexdigest(), entry
                files[entry['name']].update(content)
            for name, (size, digest) in sizes.items():
                assert 'sha256:' + files[name].hexdigest() == digest, name
            # The whole is an ordinary layer.
            archive = tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer)))
            names = [m.name for m in archive.getmembers()]
            assert names[0] == '.no.prefetch.landmark' and names[-1] == 'stargz.index.json', names
            assert [n.rstrip('/') for n in (e['name'] for e in index['entries'] if e['type'] != 'chunk')] == names[:-1]
            for m in archive.getmembers()[:-1]:
                if m.isreg():
                    assert 'sha256:' + hashlib.sha256(archive.extractfile(m).read()).hexdigest() == sizes[m.name][1]
            for name in sizes: print(name)
            """

        private struct Manifest: Decodable {
            struct Layer: Decodable {
                var digest: String
                var size: Int
                var annotations: [String: String]
            }
            var layers: [Layer]
        }

        private func export(_ root: String, _ program: LayerFSProgram) throws -> Manifest {
            try program.succeed("export", root, "oci:\(folder.path)/layout:1", "--estargz")
            let raw = try Tool.succeed("skopeo", ["inspect", "--raw", "oci:\(folder.path)/layout:1"])
            return try JSONDecoder().decode(Manifest.self, from: Data(raw.output))
        }

        @Test("an independent reader finds every file by the index") func reading() throws {
            // Larger than a chunk, and not compressible.
            var program = store.program
            program.store = folder.path + "/store"
            try Tool.succeed(
                "sh", ["-c", "head -c 9000000 /dev/urandom > '\(folder.path)/large'; touch '\(folder.path)/empty'"])
            try program.succeed("add", "bash", "--name", "bash")
            try program.succeed(
                "add", "--file", folder.path + "/large:/large", "--file", folder.path + "/empty:/empty", "--name",
                "data")
            let manifest = try export("bash+data", program)
            #expect(manifest.layers.count == 2)
            var names: Set<String> = []
            for layer in manifest.layers {
                let file = folder.path + "/layout/blobs/" + layer.digest.replacingOccurrences(of: ":", with: "/")
                let lines = try Tool.succeed("python3", ["-c", Self.reader, file]).lines
                #expect(lines[0] == "index " + (layer.annotations["containerd.io/snapshot/stargz/toc.digest"] ?? ""))
                let size = try Tool.succeed("sh", ["-c", "gzip -dc '\(file)' | wc -c"]).lines[0]
                #expect(layer.annotations["io.containers.estargz.uncompressed-size"] == size)
                names.formUnion(lines.dropFirst())
            }
            #expect(names.isSuperset(of: ["usr/bin/bash", "large", "empty", ".no.prefetch.landmark"]))
            #expect(try program.run("validate", folder.path + "/layout").status == 0)
        }

        @Test("podman and skopeo take them as ordinary layers; the root is the same but for the markers") func engines()
            throws
        {
            let path = folder.path
            _ = try export("everything", store.program)
            let differences = try store.program.run("diff", "everything", "oci:\(path)/layout:1").lines
            #expect(differences == ["+ /.no.prefetch.landmark", "+ /stargz.index.json"])
            try Tool.succeed(
                "skopeo",
                ["--insecure-policy", "copy", "oci:\(path)/layout:1", "oci-archive:\(path)/a.tar:localhost/s:1"])
            let storage = ["--root", path + "/storage", "--runroot", path + "/run", "--storage-driver", "vfs"]
            try Tool.succeed("podman", storage + ["load", "--input", path + "/a.tar"])
            let root = try Tool.succeed("podman", storage + ["image", "mount", "localhost/s:1"]).lines[0]
            #expect(try store.program.run("diff", "everything", root).lines == differences)
            try Tool.succeed("podman", storage + ["image", "unmount", "--all"])
        }

        @Test("the bytes are the same each time, and other compressions are refused") func determinism() throws {
            for name in ["a", "b"] {
                try store.program.succeed("export", "shell", "oci-archive:\(folder.path)/\(name):1", "--estargz")
            }
            #expect(try folder.read("a") == folder.read("b"))
            for compression in ["zstd", "none"] {
                #expect(
                    try store.program.run(
                        "export", "shell", "oci:\(folder.path)/x", "--estargz", "--compression", compression
                    ).status == 64)
            }
        }
    }
}
