/// The order of byte strings, as memcmp(3) has it.
package enum ByteComparison {
    /// Negative, zero or positive, as the bytes that both have place `a` before, with or after `b`; which of them is longer says nothing.
    @inline(__always)
    package static func comparePrefix(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
        // Eight bytes at a time: sorting paths compares prefixes that are mostly the same.
        let shared = min(a.count, b.count)
        var index = 0
        while index + 8 <= shared {
            let x = UInt64(bigEndian: a.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let y = UInt64(bigEndian: b.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            if x != y { return x < y ? -1 : 1 }
            index += 8
        }
        while index < shared {
            if a[index] != b[index] { return a[index] < b[index] ? -1 : 1 }
            index += 1
        }
        return 0
    }

    /// Whether `a` and `b` are the same bytes.
    @inline(__always)
    package static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        a.count == b.count && comparePrefix(a, b) == 0
    }
}
