/// A number of bytes as a person reads it: `970 B`, `1.2 MB`; powers of a thousand.
package struct ByteCount: CustomStringConvertible {
    let bytes: UInt64

    package init(_ bytes: UInt64) { self.bytes = bytes }

    package var description: String {
        if bytes < 1000 { return "\(bytes) B" }
        var tenth: UInt64 = 100
        for unit in ["kB", "MB", "GB", "TB", "PB"] {
            let tenths = bytes / tenth + (bytes % tenth >= tenth / 2 ? 1 : 0)
            // Rounded to a tenth; 999.95 kB is 1.0 MB.
            if tenths < 10_000 { return "\(tenths / 10).\(tenths % 10) \(unit)" }
            tenth *= 1000
        }
        return "\(bytes / (tenth * 10)).\(bytes / tenth % 10) EB"
    }
}
