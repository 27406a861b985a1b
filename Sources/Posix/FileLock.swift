import Bytes
import Glibc
import SystemPackage

/// An advisory lock on a file (flock(2)): released when its owner lets go of it or dies, so nothing is ever unlocked by hand.
public struct FileLock: ~Copyable, Sendable {
    /// How a lock is held.
    public enum Mode: Sendable {
        /// With others who hold it shared.
        case shared
        /// Alone.
        case exclusive
    }

    private let file: OwnedDescriptor

    /// Locks the open `file` without waiting.
    ///
    /// - Throws: EWOULDBLOCK when somebody else holds it in a mode that excludes `mode`.
    public init(_ file: consuming OwnedDescriptor, _ mode: Mode) throws(SystemError) {
        self.file = file
        try convert(to: mode)
    }

    /// Locks the open `directory`, waiting up to `patience` for others to let go.
    ///
    /// - Throws: EWOULDBLOCK when they do not.
    public static func waiting(
        for directory: borrowing OwnedDescriptor, _ mode: Mode, patience: Duration
    ) throws(SystemError) -> FileLock {
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                return try FileLock(try directory.open(".", [.readOnly, .directory]), mode)
            } catch  where error.errno == .wouldBlock && ContinuousClock.now < deadline {
                usleep(10_000)
            }
        }
    }

    /// Holds the lock in another mode, without waiting.
    ///
    /// - Throws: EWOULDBLOCK when somebody else holds it in a mode that excludes `mode`; then it is not held at all.
    public borrowing func convert(to mode: Mode) throws(SystemError) {
        let number = file.rawValue
        let operation = (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB
        _ = try retrying("flock", file.path) { flock(number, operation) }
    }

    /// Runs `body` with the lock held.
    public borrowing func whileHeld<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body()
    }
}
