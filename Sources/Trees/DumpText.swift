/// The fields of one line of a dump, from left to right.
struct DumpFields {
    private let line: UnsafeBufferPointer<UInt8>
    /// nil when there is no further field.
    private var position: Int? = 0

    init(_ line: UnsafeBufferPointer<UInt8>) { self.line = line }

    /// The next field, which may be empty; nil at the end.
    mutating func next() -> UnsafeBufferPointer<UInt8>? {
        guard let start = position else { return nil }
        var end = start
        while end < line.count, line[end] != UInt8(ascii: " ") { end += 1 }
        position = end < line.count ? end + 1 : nil
        return UnsafeBufferPointer(rebasing: line[start..<end])
    }
}

/// Numbers of a dump: digits, and a minus sign where there can be one.
enum DumpNumber {
    /// nil for anything but digits below `radix`, and for more than `Number` holds.
    static func parse<Number: FixedWidthInteger & UnsignedInteger>(
        _ field: UnsafeBufferPointer<UInt8>, radix: UInt8 = 10, as _: Number.Type = Number.self
    ) -> Number? {
        guard !field.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in field {
            guard byte >= UInt8(ascii: "0"), byte < UInt8(ascii: "0") + radix else { return nil }
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: UInt64(radix))
            let (sum, isLarger) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            if isTooLarge || isLarger { return nil }
            value = sum
        }
        return Number(exactly: value)
    }

    /// A number that may be negative.
    static func parseSigned(_ field: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard field.first == UInt8(ascii: "-") else {
            return parse(field, as: UInt64.self).flatMap { Int64(exactly: $0) }
        }
        guard let size = parse(UnsafeBufferPointer(rebasing: field.dropFirst()), as: UInt64.self),
            size <= Int64.min.magnitude
        else { return nil }
        return Int64(truncatingIfNeeded: 0 &- size)
    }

    /// Inlined, so that it divides by a constant.
    @inline(__always)
    static func write(_ number: UInt64, radix: UInt64 = 10, to output: inout [UInt8]) {
        if number < radix { return output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number)) }
        // Room for 64 bits in octal.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 22) { digits in
            var (start, rest) = (digits.count, number)
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % radix)
                rest /= radix
            } while rest > 0
            output.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
    }

    static func write(_ number: Int64, to output: inout [UInt8]) {
        if number < 0 { output.append(UInt8(ascii: "-")) }
        write(UInt64(number.magnitude), to: &output)
    }
}
