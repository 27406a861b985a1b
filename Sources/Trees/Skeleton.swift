import Bytes
public import Digests

/// What a tar has beside the contents of its files: with it, and the contents, the same tar can be written again.
///
/// Tars of the same tree differ in the order of members, in headers and filling; the digest of a layer is that of its tar. A
/// skeleton is text, so that the contents it needs are known without anything else (docs/store-format.md):
///
///     layerfs-skeleton 1 sha256:… 10240
///     512 0 5 sha256:…
///     9723
///
/// The first line has the digest of all *other* bytes of the tar, as one gzip stream, and the size of the tar. Each further
/// line stands for so many of those bytes, and then for so many bytes of a content from an offset on; the last for the bytes
/// behind the last content.
public struct Skeleton: Hashable, Sendable {
    /// Other bytes, and the part of a content that follows them.
    public struct Part: Hashable, Sendable {
        public var others: UInt64
        public var offset: UInt64
        /// Not 0.
        public var count: UInt64
        public var content: Digest

        public init(others: UInt64, offset: UInt64, count: UInt64, content: Digest) {
            (self.others, self.offset, self.count, self.content) = (others, offset, count, content)
        }
    }

    /// The gzip stream of all bytes that are no content.
    public var others: Digest
    /// Of the whole tar, in bytes.
    public var size: UInt64
    public var parts: [Part]
    /// How many other bytes follow the last part.
    public var tail: UInt64

    public init(others: Digest, size: UInt64, parts: [Part], tail: UInt64) {
        (self.others, self.size, self.parts, self.tail) = (others, size, parts, tail)
    }

    /// The contents of files that it names.
    public var contents: Set<Digest> { Set(parts.map(\.content)) }

    // MARK: Text

    private static let title: ByteString = "layerfs-skeleton 1 "

    public var text: [UInt8] {
        var bytes = Self.title.bytes + Array("\(others) \(size)\n".utf8)
        bytes.reserveCapacity(bytes.count + parts.count * 88)
        for part in parts { bytes += "\(part.others) \(part.offset) \(part.count) \(part.content)\n".utf8 }
        bytes += "\(tail)\n".utf8
        return bytes
    }

    /// - Throws: ``SkeletonError``, for anything that ``text`` does not give.
    public init(parsing bytes: [UInt8]) throws(SkeletonError) {
        guard bytes.last == UInt8(ascii: "\n") else { throw SkeletonError(line: 0) }
        let lines = bytes.dropLast().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard let first = lines.first, lines.count >= 2, ByteString(first).hasPrefix(Self.title) else {
            throw SkeletonError(line: 1)
        }
        let fields = first.dropFirst(Self.title.count).split(
            separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard fields.count == 2, let others = Self.digest(fields[0]), let size = Self.number(fields[1]) else {
            throw SkeletonError(line: 1)
        }
        (self.others, self.size, parts, tail) = (others, size, [], 0)
        parts.reserveCapacity(lines.count - 2)
        var total: UInt64 = 0
        for (index, line) in lines.enumerated().dropFirst() {
            let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            let isLast = index == lines.count - 1
            guard fields.count == (isLast ? 1 : 4), let others = Self.number(fields[0]) else {
                throw SkeletonError(line: index + 1)
            }
            var count: UInt64 = 0
            if isLast {
                tail = others
            } else {
                guard let offset = Self.number(fields[1]), let length = Self.number(fields[2]), length > 0,
                    !offset.addingReportingOverflow(length).overflow, let content = Self.digest(fields[3])
                else { throw SkeletonError(line: index + 1) }
                count = length
                parts.append(Part(others: others, offset: offset, count: count, content: content))
            }
            for summand in [others, count] {
                let (sum, overflow) = total.addingReportingOverflow(summand)
                guard !overflow else { throw SkeletonError(line: index + 1) }
                total = sum
            }
        }
        guard total == size else { throw SkeletonError(line: 1) }
    }

    /// A decimal number as Swift writes it, and no other form.
    private static func number(_ field: ArraySlice<UInt8>) -> UInt64? {
        guard let number = UInt64(String(decoding: field, as: UTF8.self)), field.elementsEqual("\(number)".utf8) else {
            return nil
        }
        return number
    }

    private static func digest(_ field: ArraySlice<UInt8>) -> Digest? {
        try? Digest(parsing: String(decoding: field, as: UTF8.self))
    }
}

/// Text is not a ``Skeleton``; its lines are counted from 1.
public struct SkeletonError: Error, Hashable, CustomStringConvertible {
    public let line: Int

    public var description: String { "line \(line) of the skeleton is malformed" }
}
