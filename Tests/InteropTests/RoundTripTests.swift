import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Images that others made and changed: taken in, given out, and made roots of by all who can.
    @Suite(
        .needs("buildah", "umoci", "podman", "skopeo", "setcap", "getfattr", "runc", root: true)
    ) struct RoundTripTests {
        let folder: TemporaryDirectory
        let program: LayerFSProgram
        let trip: RoundTrip

        init() throws {
            trip = try RoundTrip()
            (folder, program) = (trip.folder, trip.program)
        }

        @Test("an image with whiteouts, opaque directories and capabilities comes back the same to every engine")
        func engines() throws {
            defer { MountedFileSystem.unmountAll(below: folder.path) }
            let image = try ForeignImage(in: folder)
            let first = try trip.imported("oci:\(image.layout):image", "-t", "image")
            #expect(first.diffIDs.count == ForeignImage.layerCount)
            #expect(try trip.exported("image", "--oci", folder.path + "/out").diffIDs == first.diffIDs)
            let kept = try trip.imported("oci:\(image.layout):image", "-t", "kept", "--keep-compressed")
            let again = try trip.exported("kept", "--oci", folder.path + "/kept")
            #expect(again.manifest?.digest == kept.manifest && kept.manifest == first.manifest)

            try Tool.succeed("umoci", ["unpack", "--image", image.layout + ":image", folder.path + "/bundle"])
            let original = folder.path + "/bundle/rootfs"
            let names = try TreeListing(original).entries
            #expect(names["cache/new"] != nil && names["cache/old"] == nil && names["gone"] == nil)
            try trip.expectRoot(of: "image", equals: original)
            for reader in ImageReader.allCases where reader != .umociRootless {
                let export = { (option: String, place: String) in
                    _ = try program.succeed("export", "image", option, place, "--name", "image")
                }
                try reader.withRoot(in: TemporaryDirectory(), export) { try RoundTrip.compare($0, original) }
            }
            #expect(try program.succeed("fsck").errors.contains("all is well"))
        }

        @Test(
            "what buildah writes in each format comes back with its layers, and with its manifest where bytes are kept")
        func buildah() throws {
            defer { MountedFileSystem.unmountAll(below: folder.path) }
            let image = try ForeignImage(in: folder)
            for compression in ["gzip", "zstd"] {
                let place = "oci:\(folder.path)/\(compression):image"
                try image.push(to: place, "--compression-format", compression)
                let first = try trip.imported(place, "-t", compression)
                #expect(first.diffIDs.count == 2)
                #expect(
                    try trip.exported(compression, "--oci", folder.path + "/out-" + compression).diffIDs
                        == first.diffIDs)
                let kept = try trip.imported(place, "-t", "kept-" + compression, "--keep-compressed")
                let again = try trip.exported("kept-" + compression, "--oci", folder.path + "/kept-" + compression)
                #expect(again.manifest?.digest == kept.manifest)
                // And what layerfs gives back is the same image to buildah.
                try image.withRoot(of: "localhost/image") { root in
                    try trip.expectRoot(of: compression, equals: root)
                    let given = "oci:\(folder.path)/out-\(compression):\(compression)"
                    try image.withRoot(of: given) { try RoundTrip.compare($0, root) }
                }
            }
            try image.push(to: "docker-archive:\(folder.path)/archive:image:1")
            let archive = try trip.imported("docker-archive:\(folder.path)/archive", "-t", "archived")
            #expect(try trip.exported("archived", "--docker", folder.path + "/again").diffIDs == archive.diffIDs)
        }

        @Test("skopeo's copies from format to format are the same image to layerfs") func copies() throws {
            let store = try SharedStore.get()
            let path = folder.path
            let text = try store.program.succeed("export", "everything", "oci:\(path)/0:image", "--json").output
            let exported = try JSONDecoder().decode(ExportedImage.self, from: Data(text))
            try store.program.succeed("materialize", "everything", path + "/root", "--link", "copy", "--exact")
            var from = "oci:\(path)/0:image"
            for (position, to) in [
                "docker-archive:\(path)/1:image:1", "oci-archive:\(path)/2:image", "oci:\(path)/3:image",
            ].enumerated() {
                try Tool.succeed("skopeo", ["--insecure-policy", "copy", "--quiet", from, to])
                let name = "copy-\(position)"
                #expect(try trip.imported(to, "-t", name).diffIDs == exported.diffIDs)
                #expect(try program.run("diff", name, path + "/root").lines == [], "\(to)")
                // From what layerfs makes of it to the next.
                let option = ["--docker", "--oci-archive", "--oci"][position]
                #expect(
                    try trip.exported(name, option, path + "/out-\(position)", "--name", "image:1").diffIDs
                        == exported.diffIDs)
                from = ["docker-archive:\(path)/out-0", "oci-archive:\(path)/out-1:1", ""][position]
            }
        }

        @Test(
            "podman loads, runs and changes an image of layerfs'; what it saves in each format comes back to it the same"
        )
        func podman() throws {
            defer { MountedFileSystem.unmountAll(below: folder.path) }
            let path = folder.path
            let options = [
                "--root", path + "/storage", "--runroot", path + "/run", "--tmpdir", path + "/tmp", "--storage-driver",
                "vfs",
                // crun refuses machines that mix the two kinds of cgroups.
                "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "none",
            ]
            func podman(_ arguments: String...) throws -> [String] {
                try Tool.succeed("podman", options + arguments).lines
            }
            func inspect(_ format: String) throws -> String {
                try podman("image", "inspect", "--format", format, "localhost/changed:1").first ?? ""
            }
            try program.succeed("add", "bash", "rm", "mkdir")
            try program.succeed("export", "bash+rm+mkdir", "--docker", path + "/given", "--name", "localhost/given:1")
            _ = try podman("load", "--quiet", "--input", path + "/given")
            let script = "set -e; echo hello; mkdir -p /data/sub; echo a >/data/sub/a; rm /usr/bin/mkdir"
            let said = try podman(
                "run", "--name", "change", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit",
                "nproc=1024:1024",
                "localhost/given:1", "bash", "-c", script)
            #expect(said == ["hello"])
            _ = try podman("commit", "--quiet", "--change", "ENV BY=podman", "change", "localhost/changed:1")
            let (id, layers) = try (
                inspect("{{.Id}}"), inspect("{{range .RootFS.Layers}}{{.}} {{end}}")
            )
            #expect(layers.split(separator: " ").count == 4)
            for format in ["docker-archive", "oci-archive", "oci-dir"] {
                let saved = "\(path)/saved-\(format)"
                _ = try podman("save", "--quiet", "--format", format, "--output", saved, "localhost/changed:1")
                let place = (format == "oci-dir" ? "oci" : format) + ":" + saved
                #expect(try trip.imported(place, "-t", format).diffIDs.map { $0 + " " }.joined() == layers)
                #expect(try program.run("diff", "docker-archive", format).lines == [])
            }
            // The ID is the digest of the configuration, which Docker's format keeps.
            _ = try podman("rmi", "--force", "localhost/changed:1")
            try program.succeed("export", "docker-archive", "--docker", path + "/back", "--name", "localhost/changed:1")
            _ = try podman("load", "--quiet", "--input", path + "/back")
            #expect(try inspect("{{.Id}}") == id)
            let root = try podman("image", "mount", "localhost/changed:1")[0]
            try trip.expectRoot(of: "docker-archive", equals: root)
            _ = try podman("image", "unmount", "--all")
        }
    }
}
