public import Bytes
import CLinux
public import SystemPackage

/// A system call that failed: which, on what, and why.
public struct SystemError: Error, Hashable, CustomStringConvertible {
    /// The name of the call, as in its manual page: `openat`.
    public let call: String
    /// The path it was given, or the one its descriptor was opened by; nil when it has none.
    public let path: ByteString?
    public let errno: Errno

    public init(_ call: String, _ path: ByteString?, _ errno: Errno) {
        self.call = call
        self.path = path
        self.errno = errno
    }

    /// The error of the call that just returned -1 in this thread.
    static func last(_ call: String, _ path: ByteString?) -> SystemError {
        SystemError(call, path, Errno(rawValue: clinux_errno()))
    }

    public var description: String {
        let what = path.map { "\($0): " } ?? ""
        let remedy =
            switch errno {
            case .noSpace: ". Free some space, or put the store on a larger file system"
            case .diskQuotaExceeded: ". The user's disk quota is used up"
            case .tooManyOpenFiles, .tooManyOpenFilesInSystem: ". Raise the limit of open files (ulimit -n)"
            case .readOnlyFileSystem: ". The file system is mounted read-only"
            default: ""
            }
        return "\(what)\(errno) (\(call))\(remedy)"
    }
}

/// Runs `body` until it is not interrupted by a signal; a negative result becomes an error.
func retrying<Result: SignedInteger>(
    _ call: String, _ path: ByteString?, _ body: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = body()
        if result >= 0 { return result }
        let error = SystemError.last(call, path)
        if error.errno != .interrupted { throw error }
    }
}

extension ByteString {
    /// Calls `body` with the bytes as a C string.
    ///
    /// - Throws: EINVAL when a NUL is inside: the kernel would see a shorter name than we do.
    func withCPath<Result>(
        for call: String, _ body: (UnsafePointer<CChar>) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        guard !contains(0) else { throw SystemError(call, self, .invalidArgument) }
        // Kept on the heap for the time of the call; typed throws do not pass through withUnsafeBufferPointer's rethrow.
        let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: count + 1)
        defer { buffer.deallocate() }
        for (index, byte) in bytes.enumerated() { buffer[index] = CChar(bitPattern: byte) }
        buffer[count] = 0
        return try body(buffer)
    }
}
