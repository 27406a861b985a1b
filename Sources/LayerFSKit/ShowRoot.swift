import Bytes
import Digests
import LayerStore
import OCI
public import Trees

/// Tells all about a layer, an image or an expression.
public struct ShowRoot: Sendable {
    private let workspace: Workspace

    public init(_ workspace: Workspace) { self.workspace = workspace }

    /// What a root is made of.
    public struct Description: Sendable, Codable {
        public var expression: String
        public var platform: String
        public var command: [String]
        public var entrypoint: [String]
        public var environment: [String]
        public var layers: [Layer]
        public var size: UInt64
        public var entries: [Item]
    }

    public struct Layer: Sendable, Codable {
        public var name: String
        public var record: String
        public var diffID: String
        public var created: String
        public var source: String
        public var entries: Int
        public var size: UInt64
    }

    /// One path. Bytes that are not plain text are escaped as `\xNN`.
    public struct Item: Sendable, Codable {
        public var path: String
        public var kind: String
        /// Octal, with setuid, setgid and sticky.
        public var mode: String
        public var uid: UInt32
        public var gid: UInt32
        /// RFC 3339.
        public var modified: String
        public var size: UInt64
        public var digest: String?
        public var target: String?
        /// `name version` of the Debian package that owned the file on the host.
        public var package: String?
        /// The file on the host, where its path is another.
        public var source: String?
    }

    public func run(_ expression: RootExpression) throws -> Description {
        let selection = try workspace.select(expression).withoutRepetitions
        let tree = try workspace.compose(selection).tree
        let defaults = try ImageDefaults(workspace, selection)
        let origins = try selection.layers.compactMap { layer in
            try workspace.store.provenance(of: layer.record).map { Provenance.Origins($0) }
        }
        func origin(of entry: Entry) -> Provenance.Origin? {
            entry.isDirectory ? nil : origins.lazy.compactMap { $0[entry.path] }.first
        }
        return Description(
            expression: expression.description, platform: defaults.platform.description,
            command: defaults.execution.command ?? [], entrypoint: defaults.execution.entrypoint ?? [],
            environment: defaults.execution.environment,
            layers: selection.layers.map { layer in
                Layer(
                    name: layer.name, record: layer.digest.description, diffID: layer.record.diffID.description,
                    created: layer.record.created, source: layer.record.source, entries: layer.record.entries,
                    size: layer.record.size)
            },
            size: tree.size, entries: tree.entries.map { Item($0, origin(of: $0)) })
    }
}

extension ShowRoot.Item {
    init(_ entry: Entry, _ origin: Provenance.Origin?) {
        let metadata = entry.metadata
        path = entry.path.description
        kind = entry.kind.indexName
        mode = String(metadata.mode, radix: 8)
        (uid, gid) = (metadata.uid, metadata.gid)
        modified = RFC3339.text(secondsSinceEpoch: metadata.modified.seconds)
        size = entry.size
        if case .file(let digest, _) = entry.kind { self.digest = digest.description }
        if case .symlink(let target) = entry.kind { self.target = target.description }
        package = origin?.package.map { "\($0.name) \($0.version)" }
        source = origin?.source?.description
    }
}
