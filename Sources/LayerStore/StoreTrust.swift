public import Bytes
import Posix
import SystemPackage

/// Whose stores are believed.
///
/// Names in a store say what is run and what is given which owner and mode, and an index is a file that SQLite interprets. So a
/// store that somebody else could have written is not opened unless it was allowed by name, as git has it (git-config(1),
/// safe.directory). Root's own is everybody's to read.
public struct StoreTrust: Hashable, Sendable {
    /// Stores that are opened whoever owns them.
    public var allowed: Set<ByteString>
    /// Whether that are all.
    public var allowsAll: Bool
    /// Besides the process's user, and root; that of sudo(8).
    public var user: UInt32?

    /// - Parameters:
    ///   - allowed: absolute paths.
    ///   - user: a user whose stores are as good as the process's own.
    public init(allowed: Set<ByteString> = [], allowsAll: Bool = false, user: UInt32? = nil) {
        (self.allowed, self.allowsAll, self.user) = (allowed, allowsAll, user)
    }

    /// Only stores of the user who runs the process, and of root.
    public static let own = StoreTrust()

    /// - Parameter root: the directory of the store at `path`, open: what is examined is what will be used.
    /// - Throws: ``LayerStoreError/untrusted(_:reason:)``.
    func check(_ root: borrowing OwnedDescriptor, _ path: ByteString) throws(LayerStoreError) {
        if allowsAll { return }
        let resolved = try during("find the store") { () throws(SystemError) in
            try Files.linkTarget(ByteString("/proc/self/fd/\(root.rawValue)"))
        }
        if !allowed.isDisjoint(with: [path, resolved]) { return }
        let status = try during("examine the store") { () throws(SystemError) in try root.status() }
        guard status.uid == 0 || status.uid == CurrentProcess.effectiveUser || status.uid == user else {
            throw .untrusted(path, reason: "it belongs to the user \(status.uid)")
        }
        if status.permissions & 0o002 != 0 { throw .untrusted(path, reason: "everybody may write to it") }
        try Self.checkParents(of: resolved, path)
    }

    /// Whoever may rename the store away may put another in its place.
    private static func checkParents(of resolved: ByteString, _ path: ByteString) throws(LayerStoreError) {
        var parent = resolved
        while let slash = parent.bytes.lastIndex(of: UInt8(ascii: "/")), parent != "/" {
            parent = slash == 0 ? "/" : ByteString(parent.bytes[..<slash])
            // One that cannot be examined (it is outside our root, or not ours to search) cannot be judged either.
            guard let status = try? Files.status(parent) else { continue }
            if status.permissions & 0o1002 == 0o002 {
                throw .untrusted(path, reason: "everybody may rename what is in \(parent)")
            }
        }
    }
}
