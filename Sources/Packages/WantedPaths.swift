import Bytes

/// The few paths that are looked for among the hundred thousand of a database.
///
/// Nearly every line is refused by a filter of its length and last eight bytes, without being hashed or copied whole.
struct WantedPaths {
    private let paths: Set<ByteString>
    private var filter = [UInt64](repeating: 0, count: 1024)

    init(_ paths: Set<ByteString>) {
        self.paths = paths
        for path in paths {
            path.bytes.withUnsafeBytes { bytes in
                let bit = Self.key(bytes)
                filter[bit / 64] |= 1 << UInt64(bit % 64)
            }
        }
    }

    /// The wanted path that these bytes are.
    func match(_ line: UnsafeRawBufferPointer) -> ByteString? {
        let bit = Self.key(line)
        guard filter[bit / 64] & 1 << UInt64(bit % 64) != 0 else { return nil }
        let path = ByteString(line)
        return paths.contains(path) ? path : nil
    }

    /// A number below 65,536, equal for equal bytes.
    private static func key(_ bytes: UnsafeRawBufferPointer) -> Int {
        var word: UInt64 = 0
        if bytes.count >= 8 {
            word = bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
        } else {
            for byte in bytes { word = word << 8 | UInt64(byte) }
        }
        return Int(truncatingIfNeeded: ((word ^ UInt64(bytes.count)) &* 0x9e37_79b9_7f4a_7c15) >> 48)
    }
}
