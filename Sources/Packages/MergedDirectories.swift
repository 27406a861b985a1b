import Bytes
import Posix

/// The top directories of a root that are links into /usr.
///
/// There a file has two names, and dpkg knows it by the one of the time when it was packaged (dpkg-query(1), --search,
/// knows nothing of the other).
struct MergedDirectories {
    private let names: [ByteString]

    init(root: borrowing OwnedDescriptor) {
        names = (["bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32"] as [ByteString]).filter {
            guard let target = try? root.linkTarget(ofEntry: $0) else { return false }
            return target == "usr/" + $0 || target == "/usr/" + $0
        }
    }

    /// The other name of the same file; nil when it has one only.
    func alias(of path: ByteString) -> ByteString? {
        for name in names {
            let short = "/" + name
            if path.hasPrefix("/usr" + short + "/") { return ByteString(path.bytes.dropFirst(4)) }
            if path.hasPrefix(short + "/") { return "/usr" + path }
        }
        return nil
    }
}
