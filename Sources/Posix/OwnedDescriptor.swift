public import Bytes
import Glibc
import SystemPackage

/// A file descriptor with one owner: closed when the owner lets go of it.
///
/// Every descriptor is opened O_CLOEXEC. ``close()`` reports a failure; the deinitializer, which runs on error paths
/// and for descriptors that were only read, cannot.
public struct OwnedDescriptor: ~Copyable, Sendable {
    /// The number of the descriptor, valid as long as this value lives.
    public private(set) var rawValue: Int32
    /// The path that it was opened by, or that of the directory it was opened in.
    private let place: ByteString
    private let name: ByteString?

    /// The path it was opened by, for messages; put together when it is asked for.
    public var path: ByteString { name.map { Self.path(of: $0, in: place) } ?? place }

    /// Takes ownership of `rawValue`.
    public init(adopting rawValue: Int32, path: ByteString) {
        self.rawValue = rawValue
        (place, name) = (path, nil)
    }

    /// Takes ownership of `rawValue`, which is `name` in `directory`.
    init(adopting rawValue: Int32, _ name: ByteString, in directory: ByteString) {
        self.rawValue = rawValue
        (place, self.name) = (directory, name)
    }

    /// A further descriptor of what `number` is open on: the same offset, the same rights (fcntl(2), F_DUPFD_CLOEXEC).
    ///
    /// Opening /proc/self/fd again would begin at offset 0, over what was written before, and would fail for sockets.
    public init(duplicating number: Int32, path: ByteString) throws(SystemError) {
        let duplicate = fcntl(number, F_DUPFD_CLOEXEC, 3)
        if duplicate < 0 { throw SystemError.last("fcntl", path) }
        self.init(adopting: duplicate, path: path)
    }

    deinit { if rawValue >= 0 { _ = Glibc.close(rawValue) } }

    /// Closes the descriptor and reports what close(2) reports, which may be a lost write.
    public consuming func close() throws(SystemError) {
        let number = take()
        // EINTR is not retried: on Linux the descriptor is gone all the same (close(2), Dealing with error returns).
        if Glibc.close(number) != 0 {
            let error = SystemError.last("close", path)
            if error.errno != .interrupted { throw error }
        }
    }

    /// Gives the descriptor away; the new owner closes it.
    public consuming func release() -> Int32 {
        take()
    }

    /// Leaves nothing for the deinitializer to close. (`discard self` does not take types with a managed member.)
    private mutating func take() -> Int32 {
        defer { rawValue = -1 }
        return rawValue
    }
}

/// A descriptor that several threads use; closed when the last lets go of it.
public final class SharedDescriptor: Sendable {
    public let descriptor: OwnedDescriptor

    public init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
}
