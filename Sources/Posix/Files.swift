public import Bytes
import CLinux
import Glibc
import SystemPackage

/// Opening, examining and naming files by path, the way open(2), stat(2) and their kin do. Relative paths are relative
/// to the current directory.
public enum Files {
    /// Opens `path`. O_CLOEXEC is always added.
    public static func open(
        _ path: ByteString, _ flags: OpenFlags, mode: UInt16 = 0o600
    ) throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(
            adopting: try openRelative(to: AT_FDCWD, path, shown: path, flags, mode: mode), path: path)
    }

    /// The status of `path`; of the link itself when `followingLink` is false.
    public static func status(_ path: ByteString, followingLink: Bool = true) throws(SystemError) -> FileStatus {
        var status = clinux_status()
        if let error = try path.readStatus(in: AT_FDCWD, followingLink: followingLink, &status) {
            throw SystemError("statx", path, error)
        }
        return FileStatus(status)
    }

    /// The status of `path`, of a link itself unless `followingLink`; nil when there is nothing.
    public static func statusIfPresent(
        _ path: ByteString, followingLink: Bool = false
    ) throws(SystemError) -> FileStatus? {
        do {
            return try status(path, followingLink: followingLink)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        }
    }

    /// The target of the symbolic link `path`, as it is stored.
    public static func linkTarget(_ path: ByteString) throws(SystemError) -> ByteString {
        try linkTargetRelative(to: AT_FDCWD, path, shown: path)
    }

    /// The whole content of `path`, at most `limit` bytes.
    ///
    /// - Throws: EFBIG when the file is larger.
    public static func read(_ path: ByteString, limit: Int) throws(SystemError) -> [UInt8] {
        let file = try open(path, .readOnly)
        return try file.readAll(limit: limit)
    }
}

/// How a file is opened: access and the flags of open(2) that layerfs uses.
public struct OpenFlags: OptionSet, Sendable {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let readOnly = OpenFlags(rawValue: O_RDONLY)
    public static let writeOnly = OpenFlags(rawValue: O_WRONLY)
    public static let readWrite = OpenFlags(rawValue: O_RDWR)
    public static let create = OpenFlags(rawValue: O_CREAT)
    public static let exclusive = OpenFlags(rawValue: O_EXCL)
    public static let truncate = OpenFlags(rawValue: O_TRUNC)
    public static let directory = OpenFlags(rawValue: O_DIRECTORY)
    public static let noFollow = OpenFlags(rawValue: O_NOFOLLOW)
    public static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
    /// Opens the place, not the content (O_PATH): enough to examine it and to look up names in it.
    public static let path = OpenFlags(rawValue: 0o10000000)
    /// An unnamed file in the directory opened (O_TMPFILE).
    public static let temporary = OpenFlags(rawValue: clinux_o_tmpfile)
}

func openRelative(
    to directory: Int32, _ path: ByteString, shown: @autoclosure () -> ByteString, _ flags: OpenFlags, mode: UInt16
) throws(SystemError) -> Int32 {
    try path.withCPath(for: "openat") { (name) throws(SystemError) in
        try retrying("openat", shown()) { clinux_openat(directory, name, flags.rawValue | O_CLOEXEC, UInt32(mode)) }
    }
}

extension ByteString {
    /// Asks for the status of this path, relative to `directory`. An error has no path: of most files there is none, and nothing is made
    /// for it.
    ///
    /// - Returns: why there is no status.
    /// - Throws: EINVAL when a NUL is inside.
    func readStatus(
        in directory: Int32, followingLink: Bool, _ status: inout clinux_status
    ) throws(SystemError) -> Errno? {
        let flags = followingLink ? 0 : AT_SYMLINK_NOFOLLOW
        return try withCPath(for: "statx") { name in
            while clinux_statx(directory, name, flags, &status) < 0 {
                if errno != EINTR { return Errno(rawValue: errno) }
            }
            return nil
        }
    }
}

func linkTargetRelative(
    to directory: Int32, _ path: ByteString, shown: @autoclosure () -> ByteString
) throws(SystemError) -> ByteString {
    // PATH_MAX bounds a link's target on every Linux file system.
    let target = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(PATH_MAX) + 1) {
        buffer -> Result<ByteString, SystemError> in
        do throws(SystemError) {
            let length = try path.withCPath(for: "readlinkat") { (name) throws(SystemError) in
                try retrying("readlinkat", shown()) {
                    buffer.withMemoryRebound(to: CChar.self) { readlinkat(directory, name, $0.baseAddress!, $0.count) }
                }
            }
            return .success(ByteString(Array(buffer[..<length])))
        } catch {
            return .failure(error)
        }
    }
    return try target.get()
}

func statusOfDescriptor(_ number: Int32, _ path: ByteString) throws(SystemError) -> FileStatus {
    var status = clinux_status()
    _ = try retrying("statx", path) { clinux_statx(number, "", clinux_at_empty_path, &status) }
    return FileStatus(status)
}
