public import Bytes
import CLinux
import Glibc
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
///
/// - Parameter path: made only when there is an error to be told.
@inline(__always)
func retrying<Result: SignedInteger>(
    _ call: String, _ path: @autoclosure () -> ByteString?, _ body: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = body()
        if result >= 0 { return result }
        let error = SystemError.last(call, nil)
        if error.errno != .interrupted { throw SystemError(call, path(), error.errno) }
    }
}

extension ByteString {
    /// Calls `body` with the bytes as a C string, which is on the stack.
    ///
    /// - Throws: EINVAL when a NUL is inside: the kernel would see a shorter name than we do.
    func withCPath<Result>(
        for call: String, _ body: (UnsafePointer<CChar>) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        // Typed throws do not pass through the rethrow of closures of the standard library.
        let result = bytes.withUnsafeBytes { bytes -> Swift.Result<Result, SystemError> in
            do throws(SystemError) {
                return .success(try bytes.withCPath(for: call, body))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

extension UnsafeRawBufferPointer {
    /// As ``ByteString/withCPath(for:_:)``: for names that are part of a longer text, and of which there are many.
    @inline(__always)
    func withCPath<Result>(
        for call: String, _ body: (UnsafePointer<CChar>) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let result = withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) {
            buffer -> Swift.Result<Result, SystemError> in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(from: self)
            buffer[count] = 0
            if memchr(buffer.baseAddress!, 0, count) != nil {
                return .failure(SystemError(call, ByteString(Array(self)), .invalidArgument))
            }
            do throws(SystemError) {
                return .success(try body(UnsafePointer(buffer.baseAddress!)))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
