/// A number of bytes as a person reads it: `970 B`, `1.2 MB`; powers of a thousand.
struct ByteCount: CustomStringConvertible {
    let bytes: UInt64

    init(_ bytes: UInt64) { self.bytes = bytes }

    var description: String {
        if bytes < 1000 { return "\(bytes) B" }
        var tenths = bytes
        for unit in ["kB", "MB", "GB", "TB", "PB", "EB"] {
            // Rounded to a tenth; 999.95 kB is 1.0 MB.
            let rounded = (tenths + 50) / 100
            if rounded < 10_000 { return "\(rounded / 10).\(rounded % 10) \(unit)" }
            tenths /= 1000
        }
        return "\(bytes) B"
    }
}
