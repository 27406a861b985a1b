public import Bytes
import CLinux
import Glibc
import SystemPackage

/// Calls relative to an open directory (`openat` and its kin). A name given to them is one component or a relative
/// path; working relative to a held descriptor saves the kernel the walk and cannot be led elsewhere by a renamed parent.
extension OwnedDescriptor {
    /// Opens `name` in this directory. O_CLOEXEC is always added.
    public borrowing func open(
        _ name: ByteString, _ flags: OpenFlags, mode: UInt16 = 0o600
    ) throws(SystemError) -> OwnedDescriptor {
        let directory = path
        let number = try openRelative(
            to: rawValue, name, shown: Self.path(of: name, in: directory), flags, mode: mode)
        // A directory will be asked for its path again and again, a file hardly ever.
        return flags.contains(.directory)
            ? OwnedDescriptor(adopting: number, path: Self.path(of: name, in: directory))
            : OwnedDescriptor(adopting: number, name, in: directory)
    }

    /// The status of `name`; of the link itself unless `followingLink`.
    public borrowing func status(
        of name: ByteString, followingLink: Bool = false
    ) throws(SystemError) -> FileStatus {
        var status = clinux_status()
        if let error = try name.readStatus(in: rawValue, followingLink: followingLink, &status) {
            throw SystemError("statx", path(of: name), error)
        }
        return FileStatus(status)
    }

    /// Whether there is anything named `name`.
    public borrowing func contains(_ name: ByteString) throws(SystemError) -> Bool {
        do {
            _ = try status(of: name)
            return true
        } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory {
            return false
        }
    }

    public borrowing func linkTarget(of name: ByteString) throws(SystemError) -> ByteString {
        try linkTargetRelative(to: rawValue, name, shown: path(of: name))
    }

    public borrowing func makeDirectory(_ name: ByteString, mode: UInt16 = 0o777) throws(SystemError) {
        let number = rawValue
        try call("mkdirat", name) { mkdirat(number, $0, mode_t(mode)) }
    }

    /// Lets the file system put what is in the subdirectories of this directory far apart from each other (chattr(1), attribute T).
    ///
    /// Only advice, which ext4 takes: it looks for a free inode beside those of the same group that were removed lately, one after the
    /// other, so that many files in one place after many were removed cost milliseconds each.
    ///
    /// - Returns: whether it was taken.
    @discardableResult
    public borrowing func spreadSubdirectories() -> Bool { clinux_spread_directories(rawValue) == 0 }

    /// As ``makeDirectory(_:mode:)``; a directory that is there already is success.
    public borrowing func ensureDirectory(_ name: ByteString, mode: UInt16 = 0o777) throws(SystemError) {
        do {
            try makeDirectory(name, mode: mode)
        } catch  where error.errno == .fileExists {
            guard try status(of: name, followingLink: true).kind == .directory else { throw error }
        }
    }

    public borrowing func makeSymlink(_ name: ByteString, target: ByteString) throws(SystemError) {
        let number = rawValue
        try target.withCPath(for: "symlinkat") { (target) throws(SystemError) in
            try call("symlinkat", name) { symlinkat(target, number, $0) }
        }
    }

    /// Makes a device node, fifo or the like (mknodat(2)); devices need CAP_MKNOD.
    public borrowing func makeNode(
        _ name: ByteString, _ kind: NodeKind, mode: UInt16
    ) throws(SystemError) {
        let number = rawValue
        let (type, device): (UInt32, UInt64) =
            switch kind {
            case .fifo: (UInt32(S_IFIFO), 0)
            case .characterDevice(let major, let minor): (UInt32(S_IFCHR), clinux_makedev(major, minor))
            case .blockDevice(let major, let minor): (UInt32(S_IFBLK), clinux_makedev(major, minor))
            }
        try call("mknodat", name) { mknodat(number, $0, mode_t(type | UInt32(mode)), dev_t(device)) }
    }

    /// Gives the file `source` of `directory` the further name `name` here (linkat(2)); a symlink is linked, not followed.
    public borrowing func makeLink(
        _ name: ByteString, to source: ByteString, in directory: borrowing OwnedDescriptor
    ) throws(SystemError) {
        let (number, origin) = (rawValue, directory.rawValue)
        try source.withCPath(for: "linkat") { (source) throws(SystemError) in
            try call("linkat", name) { linkat(origin, source, number, $0, 0) }
        }
    }

    /// Gives the open, perhaps unnamed (O_TMPFILE) `file` the name `name` here.
    ///
    /// - Throws: EEXIST when the name is taken: nothing is overwritten.
    public borrowing func makeLink(
        _ name: ByteString, toOpen file: borrowing OwnedDescriptor
    ) throws(SystemError) {
        let number = rawValue
        // By /proc, since AT_EMPTY_PATH needs CAP_DAC_READ_SEARCH (open(2), O_TMPFILE).
        let source = ByteString("/proc/self/fd/\(file.rawValue)")
        try source.withCPath(for: "linkat") { (source) throws(SystemError) in
            try call("linkat", name) { linkat(AT_FDCWD, source, number, $0, AT_SYMLINK_FOLLOW) }
        }
    }

    public borrowing func removeFile(_ name: ByteString) throws(SystemError) {
        let number = rawValue
        try call("unlinkat", name) { unlinkat(number, $0, 0) }
    }

    public borrowing func removeDirectory(_ name: ByteString) throws(SystemError) {
        let number = rawValue
        try call("unlinkat", name) { unlinkat(number, $0, AT_REMOVEDIR) }
    }

    /// Renames `name` to `newName` in `directory`.
    ///
    /// - Throws: EEXIST when `replacing` is false and the new name is taken.
    public borrowing func rename(
        _ name: ByteString, to newName: ByteString, in directory: borrowing OwnedDescriptor, replacing: Bool
    ) throws(SystemError) {
        let (number, destination) = (rawValue, directory.rawValue)
        let flags: UInt32 = replacing ? 0 : 1  // RENAME_NOREPLACE
        try newName.withCPath(for: "renameat2") { (newName) throws(SystemError) in
            try call("renameat2", name) { clinux_renameat2(number, $0, destination, newName, flags) }
        }
    }

    /// Sets the permissions of `name`, which must not be a symbolic link.
    public borrowing func setPermissions(_ mode: UInt16, of name: ByteString) throws(SystemError) {
        let number = rawValue
        try call("fchmodat", name) { fchmodat(number, $0, mode_t(mode), 0) }
    }

    /// Sets the owner of `name` itself, link or not.
    public borrowing func setOwner(uid: UInt32, gid: UInt32, of name: ByteString) throws(SystemError) {
        let number = rawValue
        try call("fchownat", name) { fchownat(number, $0, uid, gid, AT_SYMLINK_NOFOLLOW) }
    }

    /// Sets the time of modification of `name` itself, link or not.
    public borrowing func setModified(_ time: FileTime, of name: ByteString) throws(SystemError) {
        let number = rawValue
        try call("utimensat", name) { name in
            time.withTimes { utimensat(number, name, $0, AT_SYMLINK_NOFOLLOW) }
        }
    }

    /// The names in this directory without `.` and `..`, in the order of the file system.
    public borrowing func names() throws(SystemError) -> [DirectoryEntry] {
        // A descriptor of its own: reading moves the offset that duplicates would share.
        try open(".", [.readOnly, .directory]).remainingNames()
    }

    /// The same from where this descriptor stands: all names of a directory that was just opened, and nothing when asked again.
    public borrowing func remainingNames() throws(SystemError) -> [DirectoryEntry] {
        let number = rawValue
        // As much as readdir(3) asks for.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 15, alignment: 8)
        defer { buffer.deallocate() }
        var entries: [DirectoryEntry] = []
        while true {
            let count = try retrying("getdents64", path) { clinux_getdents(number, buffer.baseAddress!, buffer.count) }
            if count == 0 { return entries }
            var rest = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<Int(count)])
            // An entry is 8 bytes of inode, 8 of offset, 2 of length, 1 of type, and the name with a NUL at its end.
            while rest.count > 19 {
                let length = Int(rest.loadUnaligned(fromByteOffset: 16, as: UInt16.self))
                guard length > 19, length <= rest.count else { break }
                let name = UnsafeRawBufferPointer(rebasing: rest[19..<length]).prefix { $0 != 0 }
                let kind = rest[18]
                rest = UnsafeRawBufferPointer(rebasing: rest[length...])
                if name.count <= 2, name.allSatisfy({ $0 == UInt8(ascii: ".") }) { continue }
                entries.append(
                    DirectoryEntry(name: ByteString(Array(name)), kind: FileKind(directoryEntryType: kind)))
            }
        }
    }

    /// The path of `name` as messages show it.
    public borrowing func path(of name: ByteString) -> ByteString { Self.path(of: name, in: path) }

    static func path(of name: ByteString, in directory: ByteString) -> ByteString {
        if directory.isEmpty || name.count == 1 && name.bytes[0] == UInt8(ascii: ".") { return directory }
        var path: [UInt8] = []
        path.reserveCapacity(directory.count + 1 + name.count)
        path.append(contentsOf: directory.bytes)
        if path.last != UInt8(ascii: "/") { path.append(UInt8(ascii: "/")) }
        path.append(contentsOf: name.bytes)
        return ByteString(path)
    }

    private borrowing func call(
        _ call: String, _ name: ByteString, _ body: (UnsafePointer<CChar>) -> Int32
    ) throws(SystemError) {
        let directory = path
        try name.withCPath(for: call) { (text) throws(SystemError) in
            _ = try retrying(call, Self.path(of: name, in: directory)) { body(text) }
        }
    }
}

/// What ``OwnedDescriptor/makeNode(_:_:mode:)`` makes.
public enum NodeKind: Hashable, Sendable {
    case fifo
    case characterDevice(major: UInt32, minor: UInt32)
    case blockDevice(major: UInt32, minor: UInt32)
}

/// A name in a directory and, where the file system tells it, what it is.
public struct DirectoryEntry: Hashable, Sendable {
    public var name: ByteString
    /// ``FileKind/unknown`` where the file system leaves d_type out.
    public var kind: FileKind
}
