import Bytes

/// Reads a tar archive that comes in pieces of any size: ustar, PAX, and GNU's long names and large numbers.
///
/// Feed each piece to ``next(_:)`` until it returns nil, then call ``finish()``:
///
///     while let event = try decoder.next(&piece) { … }
///
/// Memory is bounded by ``extensionLimit``, whatever sizes the archive declares. Where readers of the world differ,
/// this one does as GNU tar 1.34 (a prefix counts only with the POSIX magic; global records apply to names; a PAX
/// path wins over a GNU long name), but what is malformed is refused, never skipped.
public struct TarDecoder: Sendable {
    /// How many bytes the extended headers of one member may have together; also all records of global headers.
    public static let extensionLimit = 1 << 20

    /// What comes next in an archive.
    public enum Event {
        /// A member begins.
        case member(TarHeader)
        /// A piece of its content, valid as long as the piece that was given.
        case content(UnsafeRawBufferPointer)
    }

    private enum State {
        case header
        case extended(typeflag: UInt8, remaining: Int, padding: Int)
        case content(remaining: UInt64, padding: Int)
        case padding(Int)
        case ended
    }

    private var state = State.header
    private var block: [UInt8] = []
    private var payload: [UInt8] = []
    private var extensions = MemberExtensions()
    /// Where the next byte lies, and where the current header began.
    private var position: UInt64 = 0
    private var start: UInt64 = 0

    public init() {}

    /// Whether the block of zeros that ends an archive has been seen. Archives cut off between two members lack it;
    /// GNU tar accepts them.
    public var hasEnded: Bool { if case .ended = state { true } else { false } }

    /// Takes bytes from the front of `input` up to the next event; nil when it needs more. Whatever follows the end
    /// of the archive is ignored.
    ///
    /// - Throws: ``TarError``; the decoder is not to be used after that.
    public mutating func next(_ input: inout UnsafeRawBufferPointer) throws(TarError) -> Event? {
        while true {
            switch state {
            case .header:
                block.append(contentsOf: take(TarBlock.size - block.count, from: &input))
                guard block.count == TarBlock.size else { return nil }
                start = position - UInt64(TarBlock.size)
                let event = try interpretBlock()
                block.removeAll(keepingCapacity: true)
                if let event { return event }
            case .extended(let typeflag, let remaining, let padding):
                let piece = take(remaining, from: &input)
                payload.append(contentsOf: piece)
                guard piece.count == remaining else {
                    state = .extended(typeflag: typeflag, remaining: remaining - piece.count, padding: padding)
                    return nil
                }
                try extensions.add(payload, typeflag: typeflag, offset: start)
                payload.removeAll()
                state = .padding(padding)
            case .content(let remaining, let padding):
                if remaining == 0 {
                    state = .padding(padding)
                    continue
                }
                guard !input.isEmpty else { return nil }
                let piece = take(Int(clamping: remaining), from: &input)
                state = .content(remaining: remaining - UInt64(piece.count), padding: padding)
                return .content(piece)
            case .padding(let remaining):
                let skipped = take(remaining, from: &input).count
                state = skipped == remaining ? .header : .padding(remaining - skipped)
                if skipped < remaining { return nil }
            case .ended:
                _ = take(input.count, from: &input)
                return nil
            }
        }
    }

    /// Checks that the archive does not end in the middle of something.
    ///
    /// - Throws: ``TarError/truncated(offset:)``.
    public func finish() throws(TarError) {
        switch state {
        case .ended: return
        case .header where block.isEmpty && extensions.isEmpty: return
        case .header, .extended, .content, .padding: throw .truncated(offset: start)
        }
    }

    // MARK: Blocks

    private mutating func interpretBlock() throws(TarError) -> Event? {
        if block.allSatisfy({ $0 == 0 }) {
            guard extensions.isEmpty else { throw .truncated(offset: start) }
            state = .ended
            return nil
        }
        let sums = TarBlock.checksums(of: block)
        guard let declared = TarBlock.number(block, TarBlock.checksum),
            declared == sums.unsigned || declared == sums.signed
        else { throw .badChecksum(offset: start) }

        let typeflag = block[TarBlock.typeflag]
        switch typeflag {
        case UInt8(ascii: "x"), UInt8(ascii: "X"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K"):
            // The size of an extension is always its own: no record applies to it (GHSA-vmf3-w455-68vh).
            guard let number = TarBlock.number(block, TarBlock.length), let size = UInt64(exactly: number) else {
                throw .badNumber(field: "size", offset: start)
            }
            guard size <= Self.extensionLimit, extensions.reserve(Int(size)) else {
                throw .extensionTooLarge(offset: start)
            }
            state = .extended(typeflag: typeflag, remaining: Int(size), padding: TarBlock.padding(after: size))
            return nil
        case UInt8(ascii: "S"):
            throw .unsupported(feature: "a sparse file of GNU tar", offset: start)
        case UInt8(ascii: "M"), UInt8(ascii: "V"):
            throw .unsupported(feature: "part of a multi-volume archive", offset: start)
        default:
            let (header, size) = try extensions.member(block, offset: start)
            extensions.endMember()
            state = .content(remaining: size, padding: TarBlock.padding(after: size))
            return .member(header)
        }
    }

    /// The next bytes of `input`, at most `limit`.
    private mutating func take(_ limit: Int, from input: inout UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let count = min(limit, input.count)
        let piece = UnsafeRawBufferPointer(rebasing: input[..<count])
        input = UnsafeRawBufferPointer(rebasing: input[count...])
        position += UInt64(count)
        return piece
    }
}
