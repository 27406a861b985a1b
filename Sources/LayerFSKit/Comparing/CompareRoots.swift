public import Bytes
import ImageTransport
public import OCI
import Posix
import SystemPackage
public import Trees

/// Compares two roots, wherever each of them is.
public struct CompareRoots: Sendable {
    private let workspace: Workspace?
    private let sourceDateEpoch: Timestamp?
    private let scratch: ByteString

    /// - Parameters:
    ///   - workspace: needed for names and expressions.
    ///   - sourceDateEpoch: what the times of an image were clamped to when it was made.
    ///   - scratch: where an archive that is compressed is laid out.
    public init(_ workspace: Workspace?, sourceDateEpoch: Timestamp? = nil, scratch: ByteString) {
        (self.workspace, self.sourceDateEpoch, self.scratch) = (workspace, sourceDateEpoch, scratch)
    }

    /// Compares `old` with `new`. Where one of them is an image, fractions of seconds are left out: layers have none.
    ///
    /// - Parameters:
    ///   - ignored: what is not to be compared.
    ///   - platform: which image of an index of several; nil for that of this machine.
    /// - Throws: ``LayerFSError``, `TransportError`, `LayerStoreError`, `CompositionError`.
    public func run(
        _ old: RootOperand, _ new: RootOperand, ignoring ignored: Set<EntryAspect> = [], platform: Platform? = nil,
        progress: ProgressMeter = .none
    ) throws -> TreeComparison {
        let platform = try platform ?? Platform(parsing: HostPlatform.text)
        progress.begin("reading", total: 0)
        let left = try side(old, platform, progress)
        let right = try side(new, platform, progress)
        return TreeComparison(
            from: left.tree, to: right.tree, wholeSeconds: left.isImage || right.isImage, ignoring: ignored)
    }

    private func side(
        _ operand: RootOperand, _ platform: Platform, _ progress: ProgressMeter
    ) throws -> (tree: Tree, isImage: Bool) {
        switch operand {
        case .expression(let expression):
            guard let workspace else { throw LayerFSError.noStoreLocation }
            let tree = try workspace.compose(workspace.select(expression)).tree
            guard sourceDateEpoch != nil else { return (tree, false) }
            let packing = LayerPacking(sourceDateEpoch: sourceDateEpoch?.seconds)
            return (try Tree(tree.entries.lazy.map(packing.recorded)), true)
        case .image(let location):
            return try reading(location.path) {
                (try ImageTree(platform: platform, scratch: scratch).read(location), true)
            }
        case .path(let path):
            return try reading(path) {
                guard try Files.status(path).kind == .directory else {
                    return (try ImageTree(platform: platform, scratch: scratch).read(archive: path), true)
                }
                return (try DirectoryTree(path).read(progress), false)
            }
        }
    }

    private func reading<Result>(_ path: ByteString, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as SystemError {
            if error.errno == .noSuchFileOrDirectory, error.path == path { throw LayerFSError.noSuchTarget(path) }
            throw LayerFSError.system(step: "read \(path)", error)
        } catch let error as TreeError {
            throw LayerFSError.inconsistentTree(error)
        }
    }
}
