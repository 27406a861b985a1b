import Bytes
import Posix

/// The top directories of a root that are links into /usr.
///
/// There a file has two names, and dpkg knows it by the one of the time when it was packaged (dpkg-query(1), --search,
/// knows nothing of the other).
struct MergedDirectories {
    /// Both beginnings of the paths in each of them. Made once: every path of a plan is compared with all of them.
    private let prefixes: [(short: ByteString, long: ByteString)]

    init(root: borrowing OwnedDescriptor) {
        let names: [ByteString] = ["bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32"]
        prefixes = names.compactMap { name in
            guard let target = try? root.linkTarget(ofEntry: name), target == "usr/" + name || target == "/usr/" + name
            else { return nil }
            return ("/" + name + "/", "/usr/" + name + "/")
        }
    }

    /// The other name of the same file; nil when it has one only.
    func alias(of path: ByteString) -> ByteString? {
        for (short, long) in prefixes {
            if path.hasPrefix(long) { return ByteString(path.bytes.dropFirst(4)) }
            if path.hasPrefix(short) { return "/usr" + path }
        }
        return nil
    }
}
