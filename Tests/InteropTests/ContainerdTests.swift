import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Images in containerd itself; one daemon serves all of these tests.
    @Suite(.needs("containerd", "ctr", "runc", root: true), .containerd) struct ContainerdTests {
        let store: SharedStore
        let containerd: ContainerdDaemon
        let folder: TemporaryDirectory

        init() throws {
            store = try SharedStore.get()
            containerd = try #require(ContainerdTrait.daemon)
            folder = try TemporaryDirectory()
        }

        static let forms: [[String]] = [
            ["--oci-archive"], ["--docker"], ["--oci-archive", "--layers", "full"],
            ["--docker", "--layers", "flat"], ["--docker", "--compression", "none"],
            ["--oci-archive", "--compression", "zstd"],
        ]

        /// Exports `everything` as `form` says, and has containerd take it in.
        private func give(_ form: [String], as name: String) throws -> ExportedImage {
            let file = folder.path + "/given"
            let options = [form[0], file, "--name", name, "--json"] + form.dropFirst()
            let output = try store.program.succeed(["export", "everything"] + options).output
            try containerd.succeed("images", "import", file)
            return try JSONDecoder().decode(ExportedImage.self, from: Data(output))
        }

        /// A name that no other test gives; containerd knows images by their full names only.
        private static func newName() -> String { "docker.io/library/image-\(UUID().uuidString.lowercased()):1" }

        @Test(
            "it unpacks archives of every form to the root that materialize makes, entry by entry, and runs it",
            arguments: forms)
        func unpacking(form: [String]) throws {
            let name = Self.newName()
            _ = try give(form, as: name)
            let expected = folder.path + "/root"
            try store.program.succeed("materialize", "everything", expected, "--link", "copy", "--exact")
            try containerd.withRoot(of: name) { root in
                try expect(TreeListing(root), equals: TreeListing(expected))
                #expect(try store.program.run("diff", "everything", root).lines == [])
            }
            #expect(try containerd.runContainer(of: name).text == "hello there in /usr\n")
        }

        @Test("to it eStargz is a layer as any other: the root has the markers, and else what it should") func stargz()
            throws
        {
            let name = Self.newName()
            let image = try give(["--oci-archive", "--estargz"], as: name)
            let differences = try containerd.withRoot(of: name) { root in
                try store.program.run("diff", "everything", root).lines
            }
            #expect(differences == ["+ /.no.prefetch.landmark", "+ /stargz.index.json"])
            #expect(try containerd.runContainer(of: name).text == "hello there in /usr\n")
            #expect(image.layers.count == 3)
        }

        @Test("what it exports is imported with the same manifest, layers and root", arguments: forms)
        func exporting(form: [String]) throws {
            let name = Self.newName()
            let given = try give(form, as: name)
            let program = LayerFSProgram(store: folder.path + "/store")
            try containerd.succeed("images", "export", folder.path + "/back", name)
            let output = try program.succeed("import", "--json", "oci-archive:\(folder.path)/back", "-t", "back").output
            let back = try #require(try JSONDecoder().decode([ImportedImage].self, from: Data(output)).first)
            #expect(back.diffIDs == given.diffIDs && back.manifest == given.manifest?.digest)
            try store.program.succeed("materialize", "everything", folder.path + "/root", "--link", "copy", "--exact")
            #expect(try program.run("diff", "back", folder.path + "/root").lines == [])
        }

        @Test(
            "an image with whiteouts, opaque directories and capabilities that was imported is the same to it",
            .needs("buildah", "umoci", "setcap", "getfattr"))
        func foreign() throws {
            let trip = try RoundTrip()
            defer { MountedFileSystem.unmountAll(below: trip.folder.path) }
            let image = try ForeignImage(in: trip.folder)
            _ = try trip.imported("oci:\(image.layout):image", "-t", "image")
            let name = Self.newName()
            try trip.program.succeed("export", "image", "--oci-archive", folder.path + "/given", "--name", name)
            try containerd.succeed("images", "import", folder.path + "/given")
            try containerd.withRoot(of: name) { try trip.expectRoot(of: "image", equals: $0) }
        }
    }
}

/// Runs one daemon for all tests of a suite.
struct ContainerdTrait: SuiteTrait, TestScoping {
    @TaskLocal static var daemon: ContainerdDaemon?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await ContainerdDaemon.whileRunning { daemon in
            try await Self.$daemon.withValue(daemon) { try await function() }
        }
    }
}

extension Trait where Self == ContainerdTrait {
    static var containerd: Self { ContainerdTrait() }
}
