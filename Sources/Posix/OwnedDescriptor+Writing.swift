import Bytes
import CLinux
import Glibc
import SystemPackage

extension OwnedDescriptor {
    /// Writes all of `buffer` at the current offset.
    public borrowing func writeAll(_ buffer: UnsafeRawBufferPointer) throws(SystemError) {
        let number = rawValue
        var written = 0
        while written < buffer.count {
            let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
            let count = try retrying("write", path) { Glibc.write(number, rest.baseAddress, rest.count) }
            // write(2) of a non-empty buffer returns 0 only on odd devices; without progress this would never end.
            guard count > 0 else { throw SystemError("write", path, .ioError) }
            written += count
        }
    }

    /// Writes all of `bytes` at the current offset.
    public borrowing func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        var failure: SystemError?
        bytes.withUnsafeBytes { buffer in
            do throws(SystemError) { try writeAll(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Makes the content, and what is needed to read it back, durable (fdatasync(2)).
    ///
    /// A failure means that data may be lost, and the kernel forgets the error: the file must be written anew.
    public borrowing func syncData() throws(SystemError) {
        let number = rawValue
        _ = try retrying("fdatasync", path) { fdatasync(number) }
    }

    /// Makes content and metadata durable; for a directory, the names in it (fsync(2)).
    public borrowing func sync() throws(SystemError) {
        let number = rawValue
        _ = try retrying("fsync", path) { fsync(number) }
    }

    /// Lets the kernel begin to write what the file has to the disk, without waiting (sync_file_range(2)): a flush that comes later
    /// has less to do. Not more than a hint.
    public borrowing func beginWriteback() { clinux_begin_writeback(rawValue) }

    /// Makes everything written to this file system durable (syncfs(2)).
    public borrowing func syncFileSystem() throws(SystemError) {
        let number = rawValue
        _ = try retrying("syncfs", path) { clinux_syncfs(number) }
    }

    /// Begins to write what `range` holds to the disk, so that a flush at the end has less to wait for (sync_file_range(2)).
    ///
    /// Only advice: it makes nothing durable, and a failure is one that the flush will report.
    public borrowing func beginWriting(_ range: Range<UInt64>) {
        _ = clinux_begin_writing(rawValue, range.lowerBound, range.upperBound - range.lowerBound)
    }

    /// Sets permission bits, setuid, setgid and sticky included (fchmod(2)).
    public borrowing func setPermissions(_ mode: UInt16) throws(SystemError) {
        let number = rawValue
        _ = try retrying("fchmod", path) { fchmod(number, mode_t(mode)) }
    }

    /// Sets the owner (fchown(2)); needs CAP_CHOWN for anyone else's.
    public borrowing func setOwner(uid: UInt32, gid: UInt32) throws(SystemError) {
        let number = rawValue
        _ = try retrying("fchown", path) { fchown(number, uid, gid) }
    }

    /// Sets the time of modification; the time of access stays (futimens(3)).
    public borrowing func setModified(_ time: FileTime) throws(SystemError) {
        let number = rawValue
        _ = try retrying("futimens", path) { time.withTimes { futimens(number, $0) } }
    }

    /// Shares all of `source`'s extents with this file, where the file system can (btrfs, xfs).
    ///
    /// - Throws: EOPNOTSUPP, EXDEV, EINVAL or ENOTTY where it cannot: then copy.
    public borrowing func reflink(from source: borrowing OwnedDescriptor) throws(SystemError) {
        let (destination, origin) = (rawValue, source.rawValue)
        _ = try retrying("ioctl FICLONE", path) { clinux_ficlone(destination, origin) }
    }

    /// Copies the rest of `source` to the current offset inside the kernel (copy_file_range(2)).
    ///
    /// - Throws: EXDEV, EINVAL, ENOSYS or EOPNOTSUPP where the kernel cannot; nothing was copied then.
    public borrowing func copyRest(of source: borrowing OwnedDescriptor) throws(SystemError) {
        let (destination, origin) = (rawValue, source.rawValue)
        while true {
            let count = try retrying("copy_file_range", path) {
                clinux_copy_file_range(origin, destination, 1 << 30)
            }
            if count == 0 { return }
        }
    }
}

extension FileTime {
    /// Calls `body` with what sets this time of modification, and leaves that of access (utimensat(2)).
    func withTimes<Result>(_ body: (UnsafePointer<timespec>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: timespec.self, capacity: 2) { times in
            times[0] = timespec(tv_sec: 0, tv_nsec: clinux_utime_omit)
            times[1] = timespec(tv_sec: time_t(seconds), tv_nsec: Int(nanoseconds))
            return body(UnsafePointer(times.baseAddress!))
        }
    }
}
