/// Numbers one after the other in as many bytes as they need, seven bits in each (LEB128): what a row of the index would need a column
/// for each of, and be read much slower.
struct PackedNumbers {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// One that may be negative: the sign is the last bit.
    mutating func append(signed number: Int64) { append(UInt64(bitPattern: number << 1 ^ number >> 63)) }

    /// Reads what was appended.
    struct Reader {
        private let bytes: UnsafeRawBufferPointer
        private var position = 0

        init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        var isAtEnd: Bool { position == bytes.count }

        /// nil at the end, and for what no number is written as.
        mutating func next() -> UInt64? {
            var (number, shift) = (UInt64(0), UInt64(0))
            while position < bytes.count, shift < 64 {
                let byte = bytes[position]
                position += 1
                number |= UInt64(byte & 0x7f) << shift
                // Of the tenth byte one bit is left.
                if byte < 0x80 { return shift < 63 || byte < 2 ? number : nil }
                shift += 7
            }
            return nil
        }

        mutating func nextSigned() -> Int64? {
            guard let number = next() else { return nil }
            return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
        }

        /// One that is this small at most.
        mutating func next<Small: FixedWidthInteger>(_ type: Small.Type) -> Small? {
            next().flatMap { Small(exactly: $0) }
        }
    }
}
