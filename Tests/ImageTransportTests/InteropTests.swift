import Bytes
import Digests
import ImageTransport
import OCI
import TestSupport
import Testing
import Trees

/// What the tools of the field make of our images.
@Suite struct InteropTests {
    let fixture: Fixture
    let folder: TemporaryDirectory
    let image: VerifiedImage

    init() throws {
        fixture = try Fixture()
        folder = try TemporaryDirectory()
        image = try fixture.exporter().writeLayout(
            fixture.image, named: [Reference(parsing: "shell:1.0")], at: folder.at("image"))
    }

    @Test("skopeo inspects a layout", .enabled(if: Tool.isAvailable("skopeo"), "no skopeo")) func inspect() throws {
        let outcome = try Tool.run("skopeo", ["inspect", "oci:\(folder.path)/image:1.0"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.text.contains(#""Digest": "\#(image.digest)""#))
        #expect(outcome.text.contains(#""Created": "2023-11-14T22:13:20Z""#))
        let config = try Tool.run("skopeo", ["inspect", "--config", "oci:\(folder.path)/image:1.0"])
        for diffID in image.diffIDs { #expect(config.text.contains("\(diffID)")) }
    }

    @Test(
        "skopeo copies a layout, checking every digest, and keeps the manifest",
        .enabled(if: Tool.isAvailable("skopeo"), "no skopeo"))
    func copy() throws {
        let copy = try Tool.run(
            "skopeo", ["--insecure-policy", "copy", "oci:\(folder.path)/image:1.0", "dir:\(folder.path)/copy"])
        #expect(copy.status == 0, "\(copy.errors)")
        #expect(try folder.read("copy/manifest.json") == image.manifest.canonicalBytes)
    }

    @Test(
        "skopeo reads an archive as both kinds", .enabled(if: Tool.isAvailable("skopeo"), "no skopeo"),
        arguments: ["oci-archive", "docker-archive"])
    func archive(transport: String) throws {
        try fixture.exporter().writeArchive(
            fixture.image, named: [Reference(parsing: "shell:1.0")], at: folder.at("a.tar"))
        let name = transport == "oci-archive" ? "1.0" : "shell:1.0"
        let outcome = try Tool.run(
            "skopeo",
            ["--insecure-policy", "copy", "\(transport):\(folder.path)/a.tar:\(name)", "oci:\(folder.path)/copy:x"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let copies = try ImageVerifier.verify(directory: folder.at("copy"))
        #expect(copies.map(\.diffIDs) == [image.diffIDs])
        #expect(copies.map(\.entries) == [image.entries])
    }

    /// Each path below a directory with its type, mode, owner, time, and content or target; read without Swift.
    static let listing = """
        import hashlib, os, stat, sys
        root = os.fsencode(sys.argv[1])
        for folder, folders, files in os.walk(root):
            for name in folders + files:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                mode = status.st_mode
                what = ''
                if stat.S_ISREG(mode): what = hashlib.sha256(open(path, 'rb').read()).hexdigest()
                if stat.S_ISLNK(mode): what = os.fsdecode(os.readlink(path))
                kind = 'd' if stat.S_ISDIR(mode) else 'l' if stat.S_ISLNK(mode) else 'f'
                print(os.fsdecode(path[len(root):]), kind, '%o' % (mode & 0o7777), status.st_uid, int(status.st_mtime), what, sep='|')
        """

    /// The same of the composed tree.
    var expected: [String] {
        fixture.union.values.map { entry in
            let (kind, what): (String, String) =
                switch entry.kind {
                case .file(let digest, _): ("f", digest.hexadecimal)
                case .symlink(let target): ("l", "\(target)")
                default: ("d", "")
                }
            let mode = String(entry.metadata.mode, radix: 8)
            return "\(entry.path)|\(kind)|\(mode)|\(entry.metadata.uid)|\(entry.metadata.modified.seconds)|\(what)"
        }.sorted()
    }

    @Test(
        "umoci unpacks a layout to the composed tree",
        .enabled(if: Tool.isAvailable("umoci") && isRoot, "no umoci, or not root"))
    func unpack() throws {
        let outcome = try Tool.run("umoci", ["unpack", "--image", "\(folder.path)/image:1.0", folder.path + "/bundle"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let found = try Tool.run("python3", ["-c", Self.listing, folder.path + "/bundle/rootfs"]).lines.sorted()
        #expect(found == expected)
    }

    @Test(
        "GNU tar extracts a flat tar to the same tree",
        .enabled(if: Tool.isAvailable("tar") && isRoot, "no tar, or not root"))
    func extract() throws {
        let result = try fixture.exporter().writeTar(Tree.Entries(fixture.union.values), at: folder.at("flat.tar"))
        #expect(result.size > 2_000_000)
        #expect(try Tool.run("mkdir", [folder.path + "/root"]).status == 0)
        let outcome = try Tool.run(
            "tar", ["--numeric-owner", "-xpf", folder.path + "/flat.tar", "-C", folder.path + "/root"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try Tool.run("python3", ["-c", Self.listing, folder.path + "/root"]).lines.sorted() == expected)
    }

    @Test("podman loads an archive", .enabled(if: Tool.isAvailable("podman") && isRoot, "no podman, or not root"))
    func podman() throws {
        try fixture.exporter().writeArchive(
            fixture.image, named: [Reference(parsing: "localhost/layerfs-test:1.0")], at: folder.at("a.tar"))
        let storage = [
            "--root", folder.path + "/storage", "--runroot", folder.path + "/run", "--storage-driver", "vfs",
        ]
        let outcome = try Tool.run("podman", storage + ["load", "-i", folder.path + "/a.tar"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let id = try Tool.run(
            "podman", storage + ["images", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"])
        #expect(id.lines == ["\(image.manifest.config.digest) localhost/layerfs-test:1.0"])
    }
}
