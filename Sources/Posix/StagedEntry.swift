public import Bytes
import Glibc
import Synchronization
import SystemPackage

/// A file or directory that is made beside its final place, as `.NAME.layerfs-RANDOM`, and renamed there when it is complete.
///
/// Its owner holds a lock on it (flock(2)). One that can be locked was left over by a process that was killed: whoever makes another
/// for the same place removes it.
public final class StagedEntry: Sendable {
    /// What is made.
    public enum Kind: Sendable { case file, directory }

    /// Its name for the time being.
    public let name: ByteString
    /// nil on file systems without locks, and after ``release()``.
    private let lock: Mutex<Lock>

    private struct Lock: ~Copyable, Sendable {
        var held: FileLock?
    }

    private struct Claim: ~Copyable, Sendable {
        let name: ByteString
        let lock: FileLock?
    }

    /// Makes an empty one in `parent`, and removes what dead processes left of earlier ones.
    ///
    /// - Parameter target: the name that it is to have in the end.
    public init(
        _ kind: Kind, in parent: borrowing OwnedDescriptor, for target: ByteString, mode: UInt16
    ) throws(SystemError) {
        Self.removeAbandoned(in: parent, for: target)
        let claim = try Self.claim(kind, in: parent, for: target, mode: mode)
        name = claim.name
        lock = Mutex(Lock(held: claim.lock))
    }

    /// Lets go of the lock: the entry has its final name.
    public func release() { lock.withLock { $0.held = nil } }

    private static func claim(
        _ kind: Kind, in parent: borrowing OwnedDescriptor, for target: ByteString, mode: UInt16
    ) throws(SystemError) -> Claim {
        while true {
            let name = freshName(for: target)
            switch kind {
            case .file:
                try parent.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: mode).close()
            case .directory: try parent.makeDirectory(name, mode: mode)
            }
            do {
                let lock = try FileLock(parent.open(name, .readOnly), .exclusive)
                // Before it was locked, it could have been taken for abandoned, and removed.
                if try parent.contains(name) { return Claim(name: name, lock: lock) }
            } catch  where error.errno == .wouldBlock || error.errno == .noSuchFileOrDirectory {
                continue
            } catch {
                // No locks here, so nobody can find it abandoned either.
                return Claim(name: name, lock: nil)
            }
        }
    }

    /// Removes what processes that were killed left in `directory` of what was to be `target`: entries of this user that nobody
    /// holds a lock on. What cannot be removed stays.
    public static func removeAbandoned(in directory: borrowing OwnedDescriptor, for target: ByteString) {
        guard let entries = try? directory.names() else { return }
        let prefix = prefix(for: target)
        for entry in entries where isStaged(entry.name, prefix) {
            guard let status = try? directory.status(of: entry.name), status.uid == CurrentProcess.effectiveUser,
                status.kind == .regular || status.kind == .directory,
                let file = try? directory.open(entry.name, [.readOnly, .noFollow, .nonBlocking]),
                let lock = try? FileLock(file, .exclusive)
            else { continue }
            if status.kind == .directory {
                try? directory.removeTree(entry.name)
            } else {
                try? directory.removeFile(entry.name)
            }
            _ = consume lock
        }
    }

    private static let digits = 16

    private static func prefix(for target: ByteString) -> ByteString {
        // NAME_MAX is 255 bytes.
        "." + ByteString(target.bytes.prefix(200)) + ".layerfs-"
    }

    private static func freshName(for target: ByteString) -> ByteString {
        let text = String(UInt64.random(in: 0 ... .max), radix: 16)
        return prefix(for: target) + ByteString(String(repeating: "0", count: digits - text.count) + text)
    }

    /// Whether a name is one that ``freshName(for:)`` gives: a person's own file hardly is.
    private static func isStaged(_ name: ByteString, _ prefix: ByteString) -> Bool {
        name.count == prefix.count + digits && name.hasPrefix(prefix)
            && name.bytes.suffix(digits).allSatisfy(Array("0123456789abcdef".utf8).contains)
    }
}
