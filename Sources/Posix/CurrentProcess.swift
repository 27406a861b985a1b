import Bytes
import Glibc

/// What the kernel knows of this process.
public enum CurrentProcess {
    /// getpid(2).
    public static var identifier: Int32 { getpid() }

    /// geteuid(2); 0 is root. It is asked once: nothing in this process changes it.
    public static let effectiveUser: UInt32 = geteuid()

    /// getegid(2), once.
    public static let effectiveGroup: UInt32 = getegid()

    public static var isRoot: Bool { effectiveUser == 0 }

    /// Whether any owner may be given to a file: root, and not that of a user namespace in which only some users exist
    /// (user_namespaces(7)).
    public static let canSetOwners: Bool = {
        guard isRoot else { return false }
        guard let map = try? Files.read("/proc/self/uid_map", limit: 4096) else { return true }
        // All users, mapped to themselves: the initial namespace, or one like it.
        let words = map.split(whereSeparator: { $0 == 0x20 || $0 == 0x0a }).map { String(decoding: $0, as: UTF8.self) }
        return words == ["0", "0", "4294967295"]
    }()
}
