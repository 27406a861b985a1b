public import Bytes
public import Posix
import SystemPackage

extension Store {
    /// The directory `name` below `cache/`, for what can be made again at any time; made where it is missing. nil where it can be
    /// neither opened nor made, and in a store that is never written: of a newer format, or on a network file system.
    ///
    /// Files in it whose names begin with the digits of the digest of something that no name reaches are removed by
    /// ``collectGarbage(keepingYoungerThan:dryRun:checkpoint:)``.
    public func cacheDirectory(_ name: ByteString) -> OwnedDescriptor? {
        guard directory.readOnlyReason == nil, (try? directory.root.networkFileSystem()) == .some(nil) else {
            return nil
        }
        guard let cache = try? directory.openCache() else { return nil }
        if let directory = try? cache.open(name, [.readOnly, .directory, .noFollow]) { return directory }
        try? cache.ensureDirectory(name, mode: StoreDirectory.directoryMode)
        return try? cache.open(name, [.readOnly, .directory, .noFollow])
    }
}
