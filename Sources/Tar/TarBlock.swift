import Bytes

/// The 512-byte header block of ustar (pax(1p), ustar Interchange Format).
enum TarBlock {
    static let size = 512

    // Where the fields lie.
    static let name = 0..<100
    static let mode = 100..<108
    static let uid = 108..<116
    static let gid = 116..<124
    static let length = 124..<136
    static let modified = 136..<148
    static let checksum = 148..<156
    static let typeflag = 156
    static let linkName = 157..<257
    static let magic = 257..<263
    static let version = 263..<265
    static let deviceMajor = 329..<337
    static let deviceMinor = 337..<345
    static let prefix = 345..<500

    /// The sum of all bytes, those of the checksum field counted as spaces; and the same of signed bytes, which some
    /// old writers took.
    static func checksums(of block: [UInt8]) -> (unsigned: Int64, signed: Int64) {
        block.withUnsafeBufferPointer { checksums(of: $0) }
    }

    static func checksums(of block: UnsafeBufferPointer<UInt8>) -> (unsigned: Int64, signed: Int64) {
        var unsigned: Int32 = 0
        var signed: Int32 = 0
        // A block is too small for either to overflow.
        for byte in block {
            unsigned &+= Int32(byte)
            signed &+= Int32(Int8(bitPattern: byte))
        }
        for byte in block[checksum] {
            unsigned &+= Int32(UInt8(ascii: " ")) &- Int32(byte)
            signed &+= Int32(UInt8(ascii: " ")) &- Int32(Int8(bitPattern: byte))
        }
        return (Int64(unsigned), Int64(signed))
    }

    /// How many bytes of zeros fill the last block of a content of `size` bytes.
    static func padding(after size: UInt64) -> Int {
        Int((512 - size % 512) % 512)
    }

    /// The bytes of a field up to its first NUL.
    static func text(_ block: [UInt8], _ field: Range<Int>) -> ByteString {
        ByteString(block[field].prefix { $0 != 0 })
    }

    /// The number in a field: octal digits, or GNU's base-256 when the first bit is set. Nil when it is neither, or
    /// does not fit.
    static func number(_ block: [UInt8], _ field: Range<Int>) -> Int64? {
        var bytes = block[field]
        // Some writer of old put a NUL in front; GNU tar reads what follows it, and so must whoever wants to see the same.
        if bytes.first == 0 { bytes = bytes.dropFirst() }
        if let first = bytes.first, first & 0x80 != 0 { return binary(bytes) }
        var value: Int64 = 0
        var rest = bytes.drop { $0 == UInt8(ascii: " ") }
        while let digit = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) {
            // At most 12 digits of 3 bits each.
            value = value << 3 | Int64(digit & 7)
            rest = rest.dropFirst()
        }
        guard let end = rest.first else { return value }
        return end == 0 || end == UInt8(ascii: " ") ? value : nil
    }

    /// Two's complement, the most significant byte first; the bit that marks the form is not part of the number.
    private static func binary(_ bytes: ArraySlice<UInt8>) -> Int64? {
        let first = bytes.first.map { $0 & 0x7f } ?? 0
        let negative = first & 0x40 != 0
        var value: Int64 = Int64(first) - (negative ? 0x80 : 0)
        for byte in bytes.dropFirst() {
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 256)
            if overflow { return nil }
            // The low byte of `shifted` is zero.
            value = shifted | Int64(byte)
        }
        return value
    }
}
