import TestSupport

/// An image of four layers that buildah and umoci made: removed and replaced paths, an opaque directory, links, a fifo, a file
/// capability, a name that is no text. Needs buildah, umoci, setcap and root.
struct ForeignImage {
    /// A layout, in which it is called `image`.
    let layout: String
    private let storage: [String]

    static let layerCount = 4

    /// Makes it in `folder`, which has to be unmounted from afterwards.
    init(in folder: TemporaryDirectory) throws {
        layout = folder.path + "/foreign"
        storage = ["--root", folder.path + "/storage", "--runroot", folder.path + "/run", "--storage-driver", "vfs"]
        try addLayer(
            to: "scratch",
            """
            mkdir -p usr/bin data/sub/deep etc cache/old; ln -s usr/bin bin; cp /usr/bin/true usr/bin/true
            cp /usr/bin/true usr/bin/ping; setcap cap_net_raw+ep usr/bin/ping; chmod 4755 usr/bin/true
            echo a >data/a; ln data/a data/hard; echo b >data/sub/b; echo c >data/sub/deep/c; mkfifo data/fifo
            chown 1234:5678 data/a; touch -d @1000000000.5 data/a; head -c 300000 /dev/zero >data/zeros
            echo old >cache/old/file; echo gone >gone
            """)
        try addLayer(
            to: "localhost/image",
            """
            rm data/a; rm -r data/sub; mkdir data/sub; echo new >data/sub/new; rm bin; mkdir bin
            echo x >"data/$(printf 'n\\377\\376')"; ln -s ../data etc/link; chmod 1777 data
            """,
            settings: ["--env", "A=b", "--cmd", "/usr/bin/true", "--label", "of=tests", "--workingdir", "/data"])
        try push(to: "oci:\(layout):image")
        // buildah spells out what an opaque directory hides; umoci does not.
        let cache = folder.path + "/cache"
        try Tool.succeed("sh", ["-c", "mkdir $0; echo new >$0/new", cache])
        try Tool.succeed("umoci", ["insert", "--image", layout + ":image", "--opaque", cache, "/cache"])
        try Tool.succeed("umoci", ["insert", "--image", layout + ":image", "--whiteout", "/gone"])
    }

    /// Writes the two layers that are buildah's to `place`, of any of its transports.
    func push(to place: String, _ options: String...) throws {
        try buildah(["push", "--quiet"] + options + ["localhost/image", place])
    }

    /// Makes a root of the image at `place` by buildah, and runs `body` on it.
    func withRoot(of place: String, _ body: (_ root: String) throws -> Void) throws {
        let container = try buildah(["from", "--quiet", place])
        try body(try buildah(["mount", container]))
        try buildah(["umount", container])
    }

    private func addLayer(to base: String, _ script: String, settings: [String] = []) throws {
        let container = try buildah(["from", "--quiet", base])
        try Tool.succeed("sh", ["-c", "set -e; cd $0\n" + script, try buildah(["mount", container])])
        try buildah(["umount", container])
        if !settings.isEmpty { try buildah(["config"] + settings + [container]) }
        try buildah(["commit", "--quiet", "--rm", container, "localhost/image"])
    }

    @discardableResult
    private func buildah(_ arguments: [String]) throws -> String {
        try Tool.succeed("buildah", storage + arguments).lines.last ?? ""
    }
}
