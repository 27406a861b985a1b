import Bytes
import Loader
import Posix
import SystemPackage
import Trees

/// The directories of the host, which those of a layer are like.
struct HostDirectories {
    let root: SourceRoot
    /// - Parameter root: where the root of the layer's files lies on this machine; no link leads out of it.
    init(root: ByteString) throws(SystemError) {
        self.root = try SourceRoot(root)
    }

    /// The directory `path` as the host has it, without its time; where it has none, one of root's that everybody may read.
    func entry(_ path: TreePath) throws(SystemError) -> Entry {
        var metadata = Metadata(mode: 0o755)
        do {
            let status = try root.resolve(path.bytes).status
            if status.kind == .directory {
                (metadata.mode, metadata.uid, metadata.gid) = (status.permissions, status.uid, status.gid)
            }
        } catch {
            switch error.reason {
            case .notFound, .notDirectory, .tooManyLinks, .invalidName: break
            case .permissionDenied: throw SystemError("stat", root.hostPath(of: path), .permissionDenied)
            case .failed(let errno): throw SystemError("stat", root.hostPath(of: path), errno)
            }
        }
        return Entry(path: path, metadata: metadata, kind: .directory)
    }
}
