import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Image layouts as the programs of other people read them.
    @Suite(.needs("skopeo", "umoci", "podman", "buildah", "setpriv", root: true)) struct LayoutTests {
        let store: SharedStore
        let folder: TemporaryDirectory

        init() throws {
            store = try SharedStore.get()
            folder = try TemporaryDirectory()
        }

        static let forms = [
            ["--layers", "diff"], ["--layers", "full"], ["--layers", "flat"],
            ["--layers", "diff", "--compression", "none"],
        ]

        @Test(
            "the root that others unpack is the one that materialize makes, entry by entry",
            arguments: ImageReader.allCases, forms)
        func unpacking(reader: ImageReader, form: [String]) throws {
            let export = { (option: String, place: String) in
                _ = try store.program.succeed(["export", "everything", option, place, "--name", "image"] + form)
            }
            try Tool.succeed("chown", ["65534:65534", folder.path])
            let target = folder.path + "/root"
            let maker = reader == .umociRootless ? try store.copyForUnprivileged(in: folder) : store.program
            try maker.succeed("materialize", "everything", target, "--link", "copy", "--exact")
            let expected = try TreeListing(target)
            let actual = try reader.withRoot(in: folder, export) { try TreeListing($0) }
            #expect(actual.differences(from: expected) == [])
            #expect(expected.entries["usr/bin/bash"] != nil && expected.digests.count > 7)
        }

        @Test("skopeo inspect sees the layers in the order of the stack", arguments: ["diff", "full"])
        func inspecting(form: String) throws {
            let layout = folder.path + "/layout"
            let report = try JSONDecoder().decode(
                ExportedImage.self,
                from: Data(
                    try store.program.succeed(
                        "export", "everything", "--oci", layout, "--layers", form, "--name", "image", "--json"
                    ).output))
            let inspected = try JSONDecoder().decode(
                Inspected.self, from: Data(try Tool.succeed("skopeo", ["inspect", "oci:\(layout):image"]).output))
            #expect(inspected.Layers == report.layers.map(\.digest))
            #expect(inspected.Digest == report.manifest?.digest)
            #expect((inspected.Architecture, inspected.Os) == (Self.architecture, "linux"))
            #expect(inspected.Env.contains("GREETING=hello there"))
            // A layer that repeats nothing of those below is a file of itself: ls's has ls, but not what bash's has.
            for (position, name) in ["bash", "ls", "odd"].enumerated() {
                let blob = layout + "/blobs/" + report.layers[position].digest.replacingOccurrences(of: ":", with: "/")
                let names = try Tool.succeed("tar", ["--list", "--gzip", "--file", blob]).lines
                #expect(names.contains { $0.hasSuffix("/" + name) })
                #expect(names.contains("usr/bin/bash") == (position == 0 || form == "full" && name == "odd"))
            }
        }

        @Test("a second export into a layout leaves the first readable") func adding() throws {
            let layout = folder.path + "/layout"
            try store.program.succeed("export", "bash", "--oci", layout, "--name", "first:1")
            try store.program.succeed("export", "shell", "--oci", layout, "--name", "second:2")
            let listed = try Tool.succeed("umoci", ["list", "--layout", layout]).lines
            #expect(listed.sorted() == ["1", "2"])
            for tag in listed {
                try Tool.succeed("umoci", ["unpack", "--image", "\(layout):\(tag)", folder.path + "/" + tag])
            }
            #expect(try !TreeListing(folder.path + "/1/rootfs").entries.keys.contains("usr/bin/ls"))
            #expect(try TreeListing(folder.path + "/2/rootfs").entries.keys.contains("usr/bin/ls"))
        }

        @Test(
            "where layers disagree, others see what the chosen one has", arguments: ["one+two", "two+one"],
            ["first", "last"])
        func order(expression: String, policy: String) throws {
            var program = store.program
            program.store = folder.path + "/store"
            for name in ["one", "two"] {
                try folder.write("script", Array("#!/bin/bash\necho \(name)\n".utf8))
                try Tool.succeed("chmod", ["755", folder.path + "/script"])
                try program.succeed("add", folder.path + "/script", "--name", name)
            }
            #expect(try program.run("compose", expression, "-t", "image").status == 4)
            try program.succeed("compose", expression, "-t", "image", "--on-conflict", policy)
            try program.succeed("materialize", "image", folder.path + "/root", "--link", "copy", "--exact")
            let export = { (option: String, place: String) in _ = try program.succeed("export", "image", option, place)
            }
            try ImageReader.umoci.withRoot(in: folder, export) { root in
                try expect(TreeListing(root), equals: TreeListing(folder.path + "/root"))
                let names = expression.split(separator: "+")
                let script = try String(contentsOfFile: root + folder.path + "/script", encoding: .utf8)
                #expect(script == "#!/bin/bash\necho \(policy == "first" ? names[0] : names[1])\n")
            }
        }

        #if arch(x86_64)
            static let architecture = "amd64"
        #elseif arch(arm64)
            static let architecture = "arm64"
        #endif
    }
}

/// What `export --json` says.
struct ExportedImage: Decodable {
    struct Blob: Decodable {
        var digest: String
        var size: Int
    }

    var manifest: Blob?
    var config: Blob?
    var layers: [Blob]
    var diffIDs: [String]
}

/// What `skopeo inspect` says, in its own names.
private struct Inspected: Decodable {
    var Digest: String
    var Architecture: String
    var Os: String
    var Layers: [String]
    var Env: [String]
}

extension SharedStore {
    /// A copy of the store in `folder` that is the unprivileged user's own.
    func copyForUnprivileged(in folder: TemporaryDirectory) throws -> LayerFSProgram {
        var copy = program.unprivileged
        copy.store = folder.path + "/store"
        try Tool.succeed("cp", ["--archive", program.store, copy.store])
        try Tool.succeed("chown", ["--recursive", "65534:65534", copy.store])
        return copy
    }
}
