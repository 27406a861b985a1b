/// Looks at eight bytes at once. What is found of a byte is its highest bit.
enum EightBytes {
    static let ones: UInt64 = 0x0101_0101_0101_0101
    static let tops: UInt64 = 0x8080_8080_8080_8080

    /// Where `word` has `byte`.
    @inline(__always)
    static func equal(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let differences = word ^ (ones &* UInt64(byte))
        return ~(((differences & ~tops) &+ ~tops) | differences | ~tops)
    }

    /// Where `word` has less than `limit`, of bytes that are less than 0x80; others are not looked at.
    @inline(__always)
    static func below(_ word: UInt64, _ limit: UInt8) -> UInt64 {
        ~((word | tops) &- ones &* UInt64(limit)) & ~word & tops
    }
}

extension EightBytes {
    /// Where `word` has what a dump does not write as it is: all but what is printed, and of that `=` and `\\`.
    @inline(__always)
    static func notPlain(_ word: UInt64) -> UInt64 {
        below(word, 0x21) | word & tops | equal(word, 0x7f) | equal(word, UInt8(ascii: "="))
            | equal(word, UInt8(ascii: "\\"))
    }

    @inline(__always)
    static func isPlain(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "=")
    }

    /// Whether all of `bytes` are written as they are.
    static func arePlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index + 8 <= bytes.count {
            if notPlain(bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) != 0 { return false }
            index += 8
        }
        while index < bytes.count {
            if !isPlain(bytes[index]) { return false }
            index += 1
        }
        return true
    }
}
