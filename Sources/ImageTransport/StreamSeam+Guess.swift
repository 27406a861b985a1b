extension StreamSeam {
    /// How many bytes behind a stream are looked at, too.
    static let padding = 16

    /// Guesses where the last block of a deflate stream is, without reading the stream through: it is the last place that looks
    /// like the header of a last block with codes of its own, and has the end of the stream for its end.
    ///
    /// Nothing says that it is right: whoever uses it has to decompress what came of it. It is for the common case, and a
    /// seventh of the work of reading; nil where a block has no such codes, or where several ends are possible.
    ///
    /// - Parameters:
    ///   - bytes: the stream, and ``padding`` further bytes, whatever they are.
    ///   - count: of the stream, in bytes.
    static func guess(_ bytes: UnsafeRawBufferPointer, count: Int) -> StreamSeam? {
        precondition(count >= 0 && bytes.count >= count + padding, "no padding")
        guard count > 0 else { return nil }
        return kraftSums.withUnsafeBufferPointer { sums in
            let headers = BlockHeaders(bytes: bytes, count: count, kraftSums: sums)
            // A stream of one block.
            if bytes[0] & 1 == 1 { return headers.seam(at: 0) }
            // Bit-wise for 48 places at once: the first three bits are 1, and 2 with its lower bit first; neither of the two
            // numbers of five bits behind them is 30 or 31.
            var base = (count * 8 - 1) / 48 * 48
            while base >= 0 {
                let bits = headers.bits(at: base)
                let isTooLarge = bits & (bits >> 1) & (bits >> 2) & (bits >> 3)
                var places = bits & ~(bits >> 1) & (bits >> 2) & ~(isTooLarge >> 4) & ~(isTooLarge >> 9) & (1 << 48 - 1)
                while places != 0 {
                    let place = 63 - places.leadingZeroBitCount
                    places &= ~(1 << UInt64(place))
                    if headers.isLikely(at: base + place), let seam = headers.seam(at: base + place) { return seam }
                }
                base -= 48
            }
            return nil
        }
    }

    /// For four lengths of codes, three bits each: how much of all codes they take, in 128ths, at most 255.
    private static let kraftSums: [UInt8] = (0..<4096).map { lengths in
        let sum = (0..<4).reduce(0) { sum, index in
            let length = lengths >> (3 * index) & 7
            return length == 0 ? sum : sum + 128 >> length
        }
        return UInt8(min(sum, 255))
    }
}

/// Looks for headers of blocks with codes of their own (RFC 1951, section 3.2.7).
private struct BlockHeaders {
    let bytes: UnsafeRawBufferPointer
    /// Of the stream, in bytes.
    let count: Int
    let kraftSums: UnsafeBufferPointer<UInt8>

    /// In which order the lengths of the codes for lengths come.
    private static let order: InlineArray<19, Int> = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ]
    /// Lengths of codes, and room for as many as one repetition may be too long.
    private typealias Lengths = InlineArray<512, UInt8>
    private static let endOfBlock = 256

    /// 56 bits and some more from `position` on, the first the lowest.
    @inline(__always) func bits(at position: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position >> 3, as: UInt64.self))
            &>> UInt64(position & 7)
    }

    /// Whether the codes for lengths are complete, if a header is at `position`: so they are in one of 200 places by chance.
    @inline(__always) func isLikely(at position: Int) -> Bool {
        let codes = codes(at: position)
        func sum(_ shift: UInt64) -> UInt32 { UInt32(kraftSums[Int(truncatingIfNeeded: codes >> shift & 4095)]) }
        return sum(0) &+ sum(12) &+ sum(24) &+ sum(36) &+ sum(48) == 128
    }

    /// The lengths of the codes for lengths, three bits each.
    @inline(__always) private func codes(at position: Int) -> UInt64 {
        let number = bits(at: position) >> 13 & 15 &+ 4
        return bits(at: position &+ 17) & (1 << (3 &* number) &- 1)
    }

    /// The seam of the stream if the block at `position` is its last.
    func seam(at position: Int) -> StreamSeam? {
        let header = bits(at: position)
        let literals = Int(header >> 3 & 31) + 257
        let distances = Int(header >> 8 & 31) + 1
        guard header & 7 == 5, literals <= 286, distances <= 30, isLikely(at: position) else { return nil }
        let codes = codes(at: position)
        let start = position + 17 + 3 * (Int(header >> 13 & 15) + 4)
        let table = Self.table(codes)
        var lengths = Lengths(repeating: 0)
        guard read(&lengths, literals, distances, by: table, from: start),
            Self.kraftSum(lengths, 0..<literals) == 1 << 15,
            // One distance alone, and none, have no complete code.
            Self.kraftSum(lengths, literals..<(literals + distances)) <= 1 << 15,
            let end = end(Self.code(of: Self.endOfBlock, in: lengths, literals))
        else { return nil }
        return StreamSeam(lastBlock: position, end: end)
    }

    /// What seven bits begin with: the symbol, and the length of its code in the upper three bits.
    private static func table(_ header: UInt64) -> InlineArray<128, UInt8> {
        var lengths = InlineArray<19, Int>(repeating: 0)
        for index in order.indices { lengths[order[index]] = Int(header >> UInt64(3 * index) & 7) }
        var counts = InlineArray<8, Int>(repeating: 0)
        for symbol in lengths.indices where lengths[symbol] > 0 { counts[lengths[symbol]] += 1 }
        // The next code of each length (RFC 1951, section 3.2.2).
        var codes = InlineArray<8, Int>(repeating: 0)
        for length in 1...7 { codes[length] = (codes[length - 1] + counts[length - 1]) << 1 }
        var table = InlineArray<128, UInt8>(repeating: 0)
        for symbol in lengths.indices where lengths[symbol] > 0 {
            let length = lengths[symbol]
            var index = reversed(codes[length], length)
            codes[length] += 1
            while index < 128 {
                table[index] = UInt8(symbol | length << 5)
                index += 1 << length
            }
        }
        return table
    }

    /// Reads the lengths of codes for literals and for distances; false where they are none.
    private func read(
        _ lengths: inout Lengths, _ literals: Int, _ distances: Int, by table: InlineArray<128, UInt8>, from start: Int
    ) -> Bool {
        let total = literals + distances
        var position = start
        var index = 0
        var sum = 0
        while index < total {
            guard position < count * 8 else { return false }
            let bits = bits(at: position)
            let entry = table[Int(truncatingIfNeeded: bits & 127)]
            let rest = bits >> UInt64(entry >> 5)
            position += Int(entry >> 5)
            var value: UInt8 = 0
            var repeats = 1
            switch entry & 31 {
            case 16:
                guard index > 0 else { return false }
                value = lengths[index - 1]
                repeats = 3 + Int(rest & 3)
                position += 2
            case 17: repeats = 3 + Int(rest & 7); position += 3
            case 18: repeats = 11 + Int(rest & 127); position += 7
            case let length: value = length
            }
            for _ in 0..<repeats { lengths[index] = value; index += 1 }
            // What is none has too many codes soon.
            if value > 0 { sum += repeats << (15 - Int(value)) }
            guard sum <= (index <= literals ? 1 : 2) << 15 else { return false }
        }
        return index == total
    }

    private static func kraftSum(_ lengths: Lengths, _ range: Range<Int>) -> Int {
        var sum = 0
        for index in range where lengths[index] > 0 { sum += (1 << 15) >> Int(lengths[index]) }
        return sum
    }

    /// The code of `symbol`, its first bit the highest (RFC 1951, section 3.2.2); its length is 0 where it has none.
    private static func code(of symbol: Int, in lengths: Lengths, _ count: Int) -> (bits: Int, length: Int) {
        let length = lengths[symbol]
        // Before it come all shorter ones, and those of its length with smaller symbols.
        var bits = 0
        for other in 0..<count where lengths[other] > 0 {
            if lengths[other] < length || lengths[other] == length && other < symbol {
                bits += (1 << 15) >> Int(lengths[other])
            }
        }
        return (bits >> (15 - Int(length)), Int(length))
    }

    /// Where the stream ends, whose last bits are `code` and bits that are zero; nil where they are not, or `code` is nothing else.
    private func end(_ code: (bits: Int, length: Int)) -> Int? {
        guard code.length > 0, code.bits != 0, bytes[count - 1] != 0 else { return nil }
        let last = count * 8 - bytes[count - 1].leadingZeroBitCount
        let end = last + code.bits.trailingZeroBitCount
        guard end <= count * 8, end >= code.length else { return nil }
        let found = Int(truncatingIfNeeded: bits(at: end - code.length)) & (1 << code.length - 1)
        return found == Self.reversed(code.bits, code.length) ? end : nil
    }

    private static func reversed(_ code: Int, _ length: Int) -> Int {
        (0..<length).reduce(0) { $0 | (code >> $1 & 1) << (length - 1 - $1) }
    }
}
