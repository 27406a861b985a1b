public import Bytes
import Digests
import LayerStore
import Posix
import SystemPackage
public import Trees

/// Mounts a root: an overlay of what its layers add, read-only.
///
/// What a layer adds over those below it is made once, by hard links, and kept in the store's cache; the next mount of the same costs
/// nothing but the mount. Needs root: a mount that was made in a namespace of one's own would be seen by nobody else.
public struct MountRoot: Sendable {
    private let workspace: Workspace

    public init(_ workspace: Workspace) { self.workspace = workspace }

    /// Mounts the root of `expression` on the empty directory `path`.
    ///
    /// - Parameter upper: a directory that takes changes, and has those of earlier mounts; nil for a read-only mount.
    /// - Throws: ``LayerFSError/mountNotPermitted(_:)`` before anything is made; what selecting, composing and materializing throw.
    public func run(
        _ expression: RootExpression, at path: ByteString, writingTo upper: ByteString? = nil,
        progress: ProgressMeter = .none
    ) throws -> MountSummary {
        guard CurrentProcess.canSetOwners else { throw LayerFSError.mountNotPermitted(path) }
        let target = try directory(path)
        guard try target.names().isEmpty else { throw LayerFSError.targetExists(path) }
        let selection = try workspace.select(expression).withoutRepetitions
        let composition = try workspace.compose(selection)
        if let attribute = composition.tree.overlayAttribute {
            throw LayerFSError.overlayAttribute(attribute.name, at: attribute.path)
        }
        let cache = try RootCache(workspace.store)
        let layers = try MountedLayer.layers(
            of: composition, selection, limit: Overlay.capacity(nameLength: RootCache.nameLength))
        let made = try make(layers.filter { try !cache.contains($0.name) }, in: cache, progress)
        let changes = try upper.map { try MountChanges(directory($0), imitating: composition.tree.entries[0]).upper }
        var names = layers.map(\.name)
        if names.count < 2, changes == nil { names.insert(RootCache.empty, at: 0) }
        do {
            try Overlay.mount(
                names, of: cache.directory.descriptor, upper: changes,
                source: MountSummary.sourcePrefix + ByteString(expression.description.utf8.prefix(200)), on: target)
        } catch  where error.errno == .notPermitted {
            throw LayerFSError.mountNotPermitted(path)
        } catch {
            throw LayerFSError.system(step: "mount \(expression)", error)
        }
        return MountSummary(layers: layers.count, madeLayers: made.count, made: made.summary)
    }

    private func directory(_ path: ByteString) throws(LayerFSError) -> OwnedDescriptor {
        guard !path.isEmpty else { throw .emptyTarget }
        do {
            return try Files.open(path, [.readOnly, .directory])
        } catch  where error.errno == .noSuchFileOrDirectory {
            throw .noSuchTarget(path)
        } catch  where error.errno == .notDirectory {
            throw .targetExists(path)
        } catch {
            throw .system(step: "open \(path)", error)
        }
    }

    private func make(
        _ layers: [MountedLayer], in cache: RootCache, _ progress: ProgressMeter
    ) throws -> (count: Int, summary: MaterializeSummary) {
        // With the recorded times, and with devices, which no mount of layerfs lets anybody use: nothing differs from the tree.
        let materialize = Materialize(workspace, link: .hard, exactTime: true, makesDevices: true)
        var made: [(name: ByteString, root: ScratchRoot)] = []
        var summary = MaterializeSummary()
        for layer in layers {
            let scratch = try cache.scratch()
            summary = summary + (try materialize.run(layer.tree, at: scratch.path, progress: progress))
            made.append((layer.name, scratch))
        }
        try cache.keep(made)
        return (made.count, summary)
    }
}

/// What a mount came to.
public struct MountSummary: Hashable, Sendable, Codable {
    /// The source of a mount is this and what was mounted.
    static let sourcePrefix: ByteString = "layerfs:"

    /// How many directories are stacked.
    public var layers: Int
    /// How many of them the cache lacked.
    public var madeLayers: Int
    /// What making these came to.
    public var made: MaterializeSummary
}
