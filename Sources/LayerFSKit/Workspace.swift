public import Bytes
public import Digests
public import LayerStore
import OCI
import Posix
public import Trees

/// A store and what surrounds it: where every use case begins.
public struct Workspace: Sendable {
    public let store: Store
    /// Times in what is made do not exceed this one; nil for no limit.
    public let sourceDateEpoch: Timestamp?

    /// Opens the store at `path`; made when it is to be written and there is none.
    ///
    /// - Parameter patience: how long to wait for a command that has the store for itself.
    public init(
        store path: ByteString, _ access: Store.Access, patience: Duration = .seconds(10), sourceDateEpoch: Timestamp?
    ) throws(LayerStoreError) {
        store = try Store(path, access, patience: patience)
        self.sourceDateEpoch = sourceDateEpoch
    }
}

/// What an expression stands for in a store at this moment: layers in order, and how to run them.
public struct Selection: Sendable {
    /// A layer with its documents.
    public struct Layer: Sendable {
        public var name: String
        public var digest: Digest
        public var record: LayerRecord
    }

    /// As it was asked for.
    public var expression: RootExpression
    /// The lowest first; none twice.
    public var layers: [Layer]
    /// As the image was composed, or defaults where the expression is not one image.
    public var settings: ImageSettings
    public var onConflict: ConflictPolicy
}

extension Workspace {
    /// Finds the layers that `expression` stands for. A name may be a layer's, or an image's: then it stands for all the
    /// image's layers; an expression that is one image has that image's settings and conflict policy, too.
    ///
    /// - Throws: ``LayerFSError/noSuchName(_:near:)``, or ``LayerStoreError`` when a document is missing or damaged.
    public func select(_ expression: RootExpression) throws -> Selection {
        var selection = Selection(
            expression: expression, layers: [], settings: ImageSettings(), onConflict: .error)
        var seen: Set<Digest> = []
        for name in expression.names {
            guard let found = try store.lookUp(name) else {
                throw LayerFSError.noSuchName(name, near: try store.near(name))
            }
            switch found.kind {
            case .layer:
                guard seen.insert(found.record).inserted else { continue }
                selection.layers.append(
                    Selection.Layer(name: name.text, digest: found.record, record: try store.layerRecord(found.record)))
            case .image:
                let image = try store.imageRecord(found.record)
                for layer in image.layers where seen.insert(layer.record).inserted {
                    selection.layers.append(
                        Selection.Layer(
                            name: layer.name, digest: layer.record, record: try store.layerRecord(layer.record)))
                }
                if expression.singleName != nil {
                    selection.settings = image.settings
                    selection.onConflict = image.onConflict
                }
            }
        }
        return selection
    }

    /// Stacks the layers of `selection`.
    ///
    /// - Throws: ``CompositionError`` when layers disagree and the policy is to refuse.
    public func compose(_ selection: Selection) throws -> Composition {
        try Composition(
            selection.layers.map { Composition.Layer(name: $0.name, tree: try store.tree(of: $0.record)) },
            onConflict: selection.onConflict)
    }
}

extension Workspace {
    /// The time to record for what is made now: RFC 3339, no later than ``sourceDateEpoch``.
    var now: String {
        RFC3339.text(secondsSinceEpoch: min(FileTime.now.seconds, sourceDateEpoch?.seconds ?? .max))
    }
}
