import Glibc
import Posix

/// Reads files line by line through one buffer, whatever their size and that of their lines.
struct LineReader: ~Copyable {
    /// Longer lines are passed over: no path and no field of interest is longer than PATH_MAX.
    static let longestLine = 8192

    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)

    deinit { buffer.deallocate() }

    /// Calls `body` with each line, without its newline; the bytes are valid during the call. A read error ends the
    /// file, as its end does: what a damaged disk still gives is used.
    func forEachLine(of file: borrowing OwnedDescriptor, _ body: (UnsafeRawBufferPointer) -> Void) {
        guard let base = buffer.baseAddress else { return }
        var held = 0
        var skipping = false
        while true {
            let count = read(file.rawValue, base + held, buffer.count - held)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            let end = held + count
            var start = 0
            while let newline = memchr(base + start, 0x0a, end - start) {
                let length = UnsafeRawPointer(newline) - UnsafeRawPointer(base + start)
                if !skipping, length <= Self.longestLine {
                    body(UnsafeRawBufferPointer(start: base + start, count: length))
                }
                skipping = false
                start += length + 1
            }
            held = end - start
            if held > Self.longestLine {
                skipping = true
                held = 0
            }
            memmove(base, base + start, held)
        }
        if held > 0, !skipping { body(UnsafeRawBufferPointer(start: base, count: held)) }
    }
}
