import Bytes
import Digests
import Foundation
import LayerStore
import Loader
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

/// The ld.so.cache of composed roots.
struct LoaderCacheLayerTests {
    private func library(_ name: ByteString, _ path: ByteString, _ capability: ByteString? = nil) -> LdCacheLibrary {
        LdCacheLibrary(name: name, path: path, flags: 0x303, capability: capability, order: .little)
    }

    /// What composing `items` with `wanted` libraries gives as cache: its libraries, or nil when it makes none.
    private func cache(_ items: [String: KitFixture.Item], _ wanted: [LdCacheLibrary]) throws -> [String]? {
        let kit = try KitFixture()
        let tree = try kit.add("layer", items)
        guard let layer = try LoaderCacheLayer(wanted, in: tree, kit.workspace.store.blobs) else { return nil }
        let made = try layer.layer(Digest(hashing: layer.bytes)).tree
        #expect(made.entries.map(\.path.description) == ["/", "/etc", "/etc/ld.so.cache"])
        #expect(made.entries[2].metadata.modified.seconds == 1_000)
        return try LoaderCache(layer.bytes, order: .little).entries.map { "\($0.name)=\($0.path)" }
    }

    @Test("Only what is in the root is listed, and nothing is made for nothing")
    func listing() throws {
        let wanted = [library("liba.so.1", "/opt/a/liba.so.1"), library("libb.so.1", "/opt/b/libb.so.1")]
        #expect(try cache(["/opt/a/liba.so.1": .file("a")], []) == nil)
        #expect(try cache(["/etc/x": .file("a")], wanted) == nil)
        #expect(try cache(["/opt/a/liba.so.1": .file("a")], wanted) == ["liba.so.1=/opt/a/liba.so.1"])
        // Through links too; a directory of that name is no library.
        #expect(
            try cache(
                [
                    "/opt/a": .link("../srv/./x"), "/srv/x/liba.so.1": .link("/srv/y"), "/srv/y": .file("a"),
                    "/opt/b/libb.so.1": .directory(),
                ], wanted) == ["liba.so.1=/opt/a/liba.so.1"])
        #expect(
            try cache(
                ["/opt/a/liba.so.1": .file("a"), "/opt/b/libb.so.1": .file("b")],
                wanted + [library("liba.so.1", "/opt/a/liba.so.1", "x86-64-v3")])
                == [
                    "libb.so.1=/opt/b/libb.so.1", "liba.so.1=/opt/a/liba.so.1", "liba.so.1=/opt/a/liba.so.1",
                ])
    }

    @Test("A cache that the root has keeps its meaning, and is completed")
    func merging() throws {
        let kit = try KitFixture()
        let session = try kit.workspace.store.beginAdding()
        let own = try LdCacheWriter.bytes([
            library("liba.so.1", "/usr/a/liba.so.1"), library("libgone.so.1", "/gone/libgone.so.1"),
        ])
        var entries = Tree.empty.entries
        for directory in ["/etc", "/usr", "/usr/a", "/opt"] {
            entries.append(
                Entry(path: try TreePath(ByteString(directory)), metadata: Metadata(mode: 0o755), kind: .directory))
        }
        for (path, bytes) in [
            ("/etc/ld.so.cache", own), ("/usr/a/liba.so.1", [1]), ("/opt/liba.so.1", [2]), ("/opt/libb.so.1", [3]),
        ] {
            entries.append(
                Entry(
                    path: try TreePath(ByteString(path)), metadata: Metadata(mode: 0o644),
                    kind: .file(digest: try session.stage(bytes: bytes), size: UInt64(bytes.count))))
        }
        try session.publish()
        let blobs = kit.workspace.store.blobs
        let tree = try Tree(entries)
        #expect(try LoaderCacheLayer([library("liba.so.1", "/opt/liba.so.1")], in: tree, blobs) == nil)
        let layer = try #require(
            try LoaderCacheLayer(
                [library("liba.so.1", "/opt/liba.so.1"), library("libb.so.1", "/opt/libb.so.1")], in: tree, blobs))
        let found = try LoaderCache(layer.bytes, order: .little).entries.map(\.path)
        #expect(found == ["/opt/libb.so.1", "/usr/a/liba.so.1"])
        let composed = try Composition(
            [.init(name: "a", tree: tree)], onConflict: .error, completedBy: layer.layer(Digest(hashing: layer.bytes)))
        guard case .file(let digest, _)? = composed.tree.destination(of: "/etc/ld.so.cache")?.kind else {
            Issue.record("the composed tree has no cache")
            return
        }
        #expect(digest == Digest(hashing: layer.bytes) && composed.settled.isEmpty)
        #expect(composed.contributions.map(\.name) == ["a", "ld.so.cache"])
        #expect(composed.contributions[1].entries.map(\.path.description) == ["/etc", "/etc/ld.so.cache"])
    }

    /// A root with a program whose library only the root's cache knows, as ldconfig writes it.
    private static let root = """
        mkdir -p root/opt/odd root/etc root/bin
        for file in $(ldd /bin/sh | grep -o '/[^ ]*'); do mkdir -p "root$(dirname "$file")"; cp -L "$file" "root$file"; done
        echo 'int odd(void) { return 7; }' | gcc -shared -fPIC -x c - -Wl,-soname,libodd.so.1 -o root/opt/odd/libodd.so.1
        echo 'int odd(void); int main(void) { return odd(); }' | gcc -x c - -x none -o root/bin/prog root/opt/odd/libodd.so.1
        echo /opt/odd > root/etc/ld.so.conf
        ldconfig -r root
        """

    @Test("A program whose library only a cache knows starts from every form of the root", .enabled(if: isRoot))
    func starting() throws {
        let fixture = try SourceFixture(Self.root)
        let workspace = fixture.kit.workspace
        let root = ByteString(fixture.directory + "/root")
        var request = AddRequest()
        request.programs = ["/bin/prog"]
        let layers = try PlanLayers(root: root, searchPath: ["/bin"]).run(request)
        _ = try AddLayers(workspace, root: root).run(layers)
        let expression = try RootExpression("prog")
        #expect(try CheckRoot(workspace).run(expression).isSound)

        let selection = try workspace.select(expression)
        let composition = try workspace.compose(selection)
        #expect(composition.contributions.map(\.name) == ["prog", "ld.so.cache"])
        let summary = try Materialize(workspace).run(composition.tree, at: fixture.kit.path("made"))
        #expect(summary.copied == 1)
        let made = fixture.kit.directory.path + "/made"
        #expect(try Tool.run("chroot", [made, "/bin/prog"]).status == 7)
        // ldconfig reads it as one of its own.
        let listing = try Tool.succeed("ldconfig", ["-p", "-C", made + "/etc/ld.so.cache"]).text
        #expect(listing.contains("libodd.so.1 (libc6,x86-64) => /opt/odd/libodd.so.1"))

        let why = try WhyPath(workspace).run(expression, "/etc/ld.so.cache")
        #expect(why.layers.map(\.layer) == ["ld.so.cache"] && why.layers[0].isGenerated)

        // The exported layers are read back and compared with the tree.
        var options = ExportImage.Options()
        for form in ExportImage.LayerForm.allCases {
            options.form = form
            let result = try ExportImage(workspace).run(expression, to: .layout(fixture.kit.path("oci")), options)
            #expect(result.layers.count == (form == .flat ? 1 : 2))
        }
        // Nothing of it is in the store: the same is made each time.
        #expect(try workspace.compose(selection).tree == composition.tree)
        try FileManager.default.removeItem(atPath: made + "/etc/ld.so.cache")
        #expect(try Tool.run("chroot", [made, "/bin/prog"]).status == 127)
    }
}
