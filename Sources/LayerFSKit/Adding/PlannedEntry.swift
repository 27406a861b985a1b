import Bytes
import LayerStore
import Posix
import Trees

/// One path that a layer is to have: what it will be, and who wants it there.
struct PlannedEntry: Sendable {
    /// In the layer.
    var path: TreePath
    var content: Content
    var origin: PlanOrigin
    /// Where the root that it comes from knows it: what a package database is asked for. Nil for what is made up.
    var rootPath: TreePath?

    init(_ path: TreePath, _ content: Content, _ origin: PlanOrigin, rootPath: TreePath? = nil) {
        (self.path, self.content, self.origin, self.rootPath) = (path, content, origin, rootPath)
    }

    /// What a path is to be.
    enum Content: Sendable {
        /// A regular file of this machine, by its path there and what it was when the plan was made.
        case file(source: ByteString, SourceState, MetadataChange = MetadataChange())
        /// A regular file that layerfs writes itself.
        case generated([UInt8], mode: UInt16)
        /// A directory, link, device or fifo; the time in `metadata` counts in an exact plan only. `source` is its path on this machine.
        case node(Entry.Kind, Metadata, source: ByteString?)

        /// A directory that the layer asks for, and this machine need not have.
        static func madeDirectory(mode: UInt16) -> Content { .node(.directory, Metadata(mode: mode), source: nil) }
    }

    /// The regular file of this machine that it is, if it is one.
    var file: (source: ByteString, state: SourceState)? {
        guard case .file(let source, let state, _) = content else { return nil }
        return (source, state)
    }

    /// Where this machine has it; nil for what is made up.
    var source: ByteString? {
        switch content {
        case .file(let source, _, _): source
        case .generated: nil
        case .node(_, _, let source): source
        }
    }
}

/// What a plan changes of the owner and permissions that a file has on the host. The content is the same, and stored once.
struct MetadataChange: Hashable, Sendable {
    /// Of directories, whoever may read may also search: 0644 makes them 0755.
    var mode: UInt16?
    var uid: UInt32?
    var gid: UInt32?

    func apply(to metadata: inout Metadata, isDirectory: Bool = false) {
        if let mode { metadata.mode = isDirectory ? mode | (mode & 0o444) >> 2 : mode }
        if let uid { metadata.uid = uid }
        if let gid { metadata.gid = gid }
    }

    /// For links: all of them have the same permissions.
    var withoutMode: MetadataChange { MetadataChange(uid: uid, gid: gid) }
}

/// Who wants a path in a layer.
enum PlanOrigin: Hashable, Sendable, CustomStringConvertible {
    /// What programs need to start; edges say more.
    case programs
    /// As they were written on the command line.
    case file(ByteString)
    case directory(ByteString)
    case package(ByteString)
    case preset(String)
    case trace(ByteString)

    var description: String {
        switch self {
        case .programs: "the programs"
        case .file(let source): "file \(source)"
        case .directory(let source): "directory \(source)"
        case .package(let name): "package \(name)"
        case .preset(let name): "preset \(name)"
        case .trace(let log): "trace \(log)"
        }
    }
}
