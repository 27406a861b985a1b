import Foundation
import TestSupport
import Testing

/// What `import --json` says of an image, as far as tests ask.
struct ImportedImage: Decodable {
    var diffIDs: [String]
    /// The digest of its manifest.
    var manifest: String?
}

/// A store that images of others are taken into, and given out of again.
struct RoundTrip {
    let folder: TemporaryDirectory
    let program: LayerFSProgram

    init() throws {
        folder = try TemporaryDirectory()
        program = LayerFSProgram(store: folder.path + "/store")
    }

    func imported(_ arguments: String...) throws -> ImportedImage {
        let output = try program.succeed(["import", "--json"] + arguments).output
        return try #require(try JSONDecoder().decode([ImportedImage].self, from: Data(output)).first)
    }

    func exported(_ arguments: String...) throws -> ExportedImage {
        try JSONDecoder().decode(
            ExportedImage.self, from: Data(program.succeed(["export", "--json"] + arguments).output))
    }

    /// Compares the root that layerfs makes of `name` with `root`, extended attributes included.
    func expectRoot(of name: String, equals root: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let made = folder.path + "/made-" + name
        try program.succeed("materialize", name, made, "--exact", "--devices")
        try Self.compare(made, root, sourceLocation: sourceLocation)
    }

    /// Compares two roots on disk, extended attributes included.
    static func compare(_ root: String, _ expected: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try expect(TreeListing(root), equals: TreeListing(expected), sourceLocation: sourceLocation)
        let attributes = "cd $0 && getfattr --absolute-names --dump --recursive --match=- ."
        guard Tool.isAvailable("getfattr") else { return }
        let found = try Tool.succeed("sh", ["-c", attributes, root]).text
        #expect(try found == Tool.succeed("sh", ["-c", attributes, expected]).text, sourceLocation: sourceLocation)
    }
}
