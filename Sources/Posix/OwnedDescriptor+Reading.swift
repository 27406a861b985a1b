import Bytes
import Glibc
import SystemPackage

extension OwnedDescriptor {
    /// The status of the open file.
    public borrowing func status() throws(SystemError) -> FileStatus {
        // AT_EMPTY_PATH: the descriptor itself (statx(2)).
        try statusOfDescriptor(rawValue, path)
    }

    /// Reads up to `buffer.count` bytes at the current offset; 0 at the end of the file.
    public borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        let number = rawValue
        return try retrying("read", path) { Glibc.read(number, buffer.baseAddress, buffer.count) }
    }

    /// Sets the current offset to the beginning (lseek(2)).
    public borrowing func rewind() throws(SystemError) {
        let number = rawValue
        _ = try retrying("lseek", path) { lseek(number, 0, SEEK_SET) }
    }

    /// Reads up to `buffer.count` bytes at `offset`; 0 at the end of the file.
    public borrowing func read(
        at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int {
        guard let position = off_t(exactly: offset) else { return 0 }
        let number = rawValue
        return try retrying("pread", path) { pread(number, buffer.baseAddress, buffer.count, position) }
    }

    /// The next `count` bytes, fewer at the end of the file.
    public borrowing func readPrefix(_ count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        while received < count {
            let more = try read(&bytes, from: received)
            if more == 0 { break }
            received += more
        }
        return Array(bytes[..<received])
    }

    /// All of a file that has `size` bytes, from its current offset; nil when it proves to have fewer, or more than none.
    ///
    /// Whether it has more than `size`, which is no more asked for, its status tells.
    public borrowing func readExactly(_ size: UInt64) throws(SystemError) -> [UInt8]? {
        guard let size = Int(exactly: size) else { return nil }
        let (number, shown) = (rawValue, path)
        var failure: SystemError?
        // Files of /proc say size 0 and have content.
        let room = max(size, 1)
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            do throws(SystemError) {
                while count < room {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                    let received = try retrying("read", shown) { Glibc.read(number, rest.baseAddress, rest.count) }
                    if received == 0 { break }
                    count += received
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes.count == size ? bytes : nil
    }

    /// The bytes from the current offset to the end, at most `limit`.
    ///
    /// - Throws: EFBIG when there are more.
    public borrowing func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        let expected = try Int(clamping: status().size)
        guard expected <= limit else { throw SystemError("read", path, Errno(rawValue: EFBIG)) }
        var bytes = [UInt8](repeating: 0, count: min(limit, max(expected, 4096)) + 1)
        var count = 0
        while true {
            let received = try read(&bytes, from: count)
            if received == 0 { break }
            count += received
            guard count <= limit else { throw SystemError("read", path, Errno(rawValue: EFBIG)) }
            // Files of /proc say size 0: grow as long as something comes.
            if count == bytes.count { bytes.append(contentsOf: repeatElement(0, count: min(count, limit - count) + 1)) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    private borrowing func read(_ bytes: inout [UInt8], from start: Int) throws(SystemError) -> Int {
        let number = rawValue
        return try retrying("read", path) {
            bytes.withUnsafeMutableBytes { Glibc.read(number, $0.baseAddress! + start, $0.count - start) }
        }
    }
}
