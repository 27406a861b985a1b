import Bytes
import LayerFSKit
import LayerStore
import OCI
import Trees

/// What `add --json` says of one layer.
struct AdditionReport: Codable {
    var name: String
    var outcome: String
    var entries: Int
    var contents: Int
    var bytes: UInt64
    var newContents: Int
    var newBytes: UInt64

    init(_ addition: AddLayers.Addition) {
        name = addition.name.text
        outcome = "\(addition.outcome)"
        entries = addition.tree.entries.count
        (contents, bytes) = (addition.cost.contents, addition.cost.bytes)
        (newContents, newBytes) = (addition.cost.newContents, addition.cost.newBytes)
    }
}

/// What `compose --json` says.
struct CompositionReport: Codable {
    var name: String?
    var expression: String
    var outcome: String?
    var layers: [String]
    var entries: Int
    var size: UInt64
    var settledConflicts: [Settled]

    struct Settled: Codable {
        var path: String
        var lower: String
        var upper: String
        var reason: String
    }

    init(_ result: ComposeImage.Result, name: Name?) {
        self.name = name?.text
        expression = result.selection.expression.description
        outcome = result.outcome.map { "\($0)" }
        layers = result.selection.layers.map(\.name)
        entries = result.composition.tree.entries.count
        size = result.composition.tree.size
        settledConflicts = result.composition.settled.map {
            Settled(path: $0.path.description, lower: $0.lower, upper: $0.upper, reason: $0.reason.rawValue)
        }
    }
}

/// What `export --json` says.
struct ExportReport: Codable {
    var manifest: Blob?
    var config: Blob?
    var layers: [Blob]
    var diffIDs: [String]

    struct Blob: Codable {
        var digest: String
        var size: Int64
    }

    init(_ result: ExportImage.Result) {
        manifest = result.manifest.map { Blob(digest: "\($0.digest)", size: $0.size) }
        config = result.configuration.map { Blob(digest: "\($0.digest)", size: $0.size) }
        layers = result.layers.map { Blob(digest: "\($0.digest)", size: $0.size) }
        diffIDs = result.diffIDs
    }
}
