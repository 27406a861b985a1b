import Bytes
import Digests
import TestSupport
import Testing

@testable import Trees

struct OverlayLayerTests {
    private static let root = Tree.empty.entries[0]

    /// A path that ends with `/` is a directory, one that begins with `!` a whiteout.
    private static func entry(_ text: String) throws -> Entry {
        let isWhiteout = text.hasPrefix("!")
        let isDirectory = text.hasSuffix("/")
        let path = String(text.dropFirst(isWhiteout ? 1 : 0).dropLast(isDirectory ? 1 : 0))
        let kind: Entry.Kind =
            isWhiteout ? .whiteout : isDirectory ? .directory : .file(digest: .empty, size: 0)
        return Entry(path: try TreePath(ByteString(path)), metadata: Metadata(mode: isWhiteout ? 0 : 0o755), kind: kind)
    }

    /// As ``entry(_:)`` reads it, with `opaque` behind a directory that is.
    private static func text(_ entry: Entry) -> String {
        let attributes = entry.metadata.extendedAttributes
        switch entry.kind {
        case .characterDevice(major: 0, minor: 0): return "!\(entry.path)"
        case .directory:
            let isOpaque = attributes == [ExtendedAttribute(name: "trusted.overlay.opaque", value: "y")]
            return "\(entry.path)/" + (isOpaque ? " opaque" : "")
        default: return "\(entry.path)"
        }
    }

    @Test(arguments: [
        (["/a/", "/a/f"], ["/a/", "/a/f"]),
        (["/a/", "!/a/f"], ["/a/", "!/a/f"]),
        (["!/gone"], ["!/gone"]),
        // Filled again: a directory hides what was in it, anything else hides by itself.
        (["!/a", "/a/", "/a/f"], ["/a/ opaque", "/a/f"]),
        (["!/f", "/f"], ["/f"]),
        // In what is no directory any more, or is gone, there is nothing to hide.
        (["/a", "!/a/f"], ["/a"]),
        (["!/a", "!/a/b/c"], ["!/a"]),
        ([], []),
    ])
    func whiteoutsAreWrittenAsOverlayfsReadsThem(_ entries: [String], _ expected: [String]) throws {
        let tree = try Tree(overlayLayer: entries.map(Self.entry), root: Self.root)
        #expect(tree.entries.dropFirst().map(Self.text) == expected)
        #expect(tree.overlayAttribute == nil || expected.contains { $0.hasSuffix(" opaque") })
    }

    @Test func entriesWithoutTheirDirectoryAreRefused() {
        #expect(throws: TreeError.self) { try Tree(overlayLayer: [Self.entry("/a/f")], root: Self.root) }
    }

    @Test func anAttributeThatAnOverlayActsOnIsFound() throws {
        var file = try Self.entry("/f")
        for (name, isFound) in [("user.overlay.opaque", false), ("trusted.overlay.redirect", true)] {
            let attribute = ExtendedAttribute(name: ByteString(name), value: "y")
            file.metadata = Metadata(mode: 0o644, extendedAttributes: [attribute])
            let found = try Tree([Self.root, file]).overlayAttribute
            #expect(found?.path == (isFound ? file.path : nil) && found?.name == (isFound ? attribute.name : nil))
        }
    }
}
