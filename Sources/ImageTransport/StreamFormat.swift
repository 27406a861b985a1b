/// How a stream is compressed, told by its first bytes: a name or media type can be wrong, these cannot.
public enum StreamFormat: String, Hashable, Sendable, Codable, CaseIterable {
    case plain
    /// RFC 1952.
    case gzip
    /// RFC 8878; the stream may begin with a skippable frame.
    case zstd
    /// The .xz File Format, version 1.2.
    case xz

    /// How many bytes tell.
    static let magicSize = 6

    /// The format of a stream that begins with `prefix`: ``magicSize`` bytes, or all there are.
    init(magic prefix: [UInt8]) {
        if prefix.starts(with: [0x1f, 0x8b]) {
            self = .gzip
        } else if prefix.starts(with: [0x28, 0xb5, 0x2f, 0xfd])
            || prefix.count >= 4 && prefix[0] & 0xf0 == 0x50 && prefix[1...3].elementsEqual([0x2a, 0x4d, 0x18])
        {
            self = .zstd
        } else if prefix.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) {
            self = .xz
        } else {
            self = .plain
        }
    }
}

/// How much a compressed stream may grow.
///
/// A few bytes can stand for gigabytes. What is honest compresses to a hundredth at best, and what is small does no harm: a
/// stream may grow to ``base`` whatever its size, and beyond by ``ratio`` bytes for each of its own.
public struct ExpansionLimit: Hashable, Sendable {
    public var base: UInt64 = 256 << 20
    public var ratio: UInt64 = 100

    public init() {}

    /// No limit.
    public static let none: ExpansionLimit = {
        var limit = ExpansionLimit()
        limit.base = .max
        return limit
    }()

    /// - Throws: ``TransportError/expandsTooMuch(produced:consumed:ratio:)`` when `produced` is more than `consumed` may become.
    func check(consumed: UInt64, produced: UInt64) throws(TransportError) {
        guard produced > base else { return }
        let (grown, overflow) = consumed.multipliedReportingOverflow(by: ratio)
        let (allowed, carry) = grown.addingReportingOverflow(base)
        guard overflow || carry || produced <= allowed else {
            throw .expandsTooMuch(produced: produced, consumed: consumed, ratio: ratio)
        }
    }
}
