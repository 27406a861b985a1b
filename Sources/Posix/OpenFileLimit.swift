import CLinux

/// How many files the process may have open at a time (getrlimit(2), RLIMIT_NOFILE).
public enum OpenFileLimit {
    /// Fewer than these are not enough: what layerfs is built on (libdispatch) ends the process when it gets no descriptor.
    public static let needed: UInt64 = 64
    /// More than these are never needed.
    private static let wanted: UInt64 = 65_536

    /// The limit cannot be raised to what is needed.
    public struct TooLow: Error, Hashable, CustomStringConvertible {
        public let limit: UInt64

        public var description: String {
            "only \(limit) files may be open at a time, and layerfs needs \(needed). Raise the limit: ulimit -n \(needed)"
        }
    }

    /// Raises the limit as far as the process may.
    ///
    /// - Throws: ``TooLow``.
    public static func raise() throws(TooLow) {
        let limit = clinux_raise_open_files(wanted)
        if limit < needed { throw TooLow(limit: limit) }
    }

    /// Sets it back to what it was before ``raise()``, for a program that is about to be started: some cannot cope with descriptors
    /// beyond 1,023 (select(2), BUGS).
    public static func restore() { clinux_restore_open_files() }
}
