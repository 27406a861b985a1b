public import Bytes
import Loader
import Posix

/// Finds the root that a person names.
public enum RootDirectory {
    /// The root of this machine.
    public static let machine: ByteString = "/"

    /// The directory `path` of this machine: absolute and without links, so that it stays what it is.
    ///
    /// - Throws: ``LayerFSError/unusableRoot(_:_:)``.
    public static func locate(_ path: ByteString) throws(LayerFSError) -> ByteString {
        let host = try HostFiles().root
        let found: ResolvedPath
        do {
            found = try host.resolve(path.bytes.first == UInt8(ascii: "/") ? path : host.workingDirectory + "/" + path)
        } catch { throw .unusableRoot(path, error) }
        guard found.status.kind == .directory else {
            throw .unusableRoot(path, LookupFailure(reason: .notDirectory, at: found.path.bytes))
        }
        return found.path.bytes
    }
}
