import Bytes

/// Reads a tar archive that comes in pieces of any size: V7, ustar, PAX, and GNU's long names, large numbers and sparse files.
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
        /// A piece of its content, valid as long as the piece that was given. All other bytes of the archive are headers,
        /// maps and filling.
        case content(UnsafeRawBufferPointer)
        /// The next bytes of its content are so many zeros, which are not in the archive: a hole of a sparse file.
        case hole(UInt64)
    }

    private enum State {
        case header
        case extended(typeflag: UInt8, remaining: Int, padding: Int)
        case content(remaining: UInt64, padding: Int)
        /// Blocks of an old GNU sparse map.
        case sparseBlocks(SparseMap, size: UInt64, stored: UInt64)
        /// Blocks of a PAX 1.0 sparse map.
        case sparsePrefix(PrefixedSparseMap, size: UInt64, stored: UInt64)
        case sparse(SparseContent)
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
            case .sparseBlocks(let map, let size, let stored):
                guard let block = takeBlock(from: &input) else { return nil }
                try readSparseBlock(block, map, size: size, stored: stored)
            case .sparsePrefix(let map, let size, let stored):
                guard let block = takeBlock(from: &input) else { return nil }
                try readSparsePrefix(block, map, size: size, stored: stored)
            case .sparse(var content):
                switch content.next {
                case .hole(let count):
                    content.pass(count)
                    state = .sparse(content)
                    return .hole(count)
                case .data(let count):
                    guard !input.isEmpty else { return nil }
                    let piece = take(Int(clamping: count), from: &input)
                    content.pass(UInt64(piece.count))
                    state = .sparse(content)
                    return .content(piece)
                case nil: state = .padding(content.padding)
                }
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
    /// - Parameter lacksFilling: whether the filling behind the last content may be missing, as for Go (umoci 0.4 writes no more
    ///   than the members). Only where something else tells that the archive is whole: one that was cut can look the same.
    /// - Throws: ``TarError/truncated(offset:)``.
    public func finish(lacksFilling: Bool = false) throws(TarError) {
        switch state {
        case .ended: return
        case .header where block.isEmpty && extensions.isEmpty: return
        case .header where !block.isEmpty: throw .truncated(offset: position - UInt64(block.count))
        case .padding where lacksFilling && extensions.isEmpty: return
        case .content(remaining: 0, _) where lacksFilling && extensions.isEmpty: return
        case .header, .extended, .content, .padding, .sparse, .sparseBlocks, .sparsePrefix:
            throw .truncated(offset: start)
        }
    }

    // MARK: Blocks

    private mutating func interpretBlock() throws(TarError) -> Event? {
        if block.allSatisfy({ $0 == 0 }) {
            // An extended header that waits for a member which does not come says nothing, as for GNU tar.
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
        case UInt8(ascii: "M"), UInt8(ascii: "V"):
            throw .unsupported(feature: "part of a multi-volume archive", offset: start)
        default:
            let member = try extensions.member(block, offset: start)
            extensions.endMember()
            let (stored, size) = (member.stored, member.header.kind.size)
            switch member.layout {
            case .plain: state = .content(remaining: stored, padding: TarBlock.padding(after: stored))
            case .sparse(let map): state = .sparse(SparseContent(map, size: size))
            case .sparseBlocks(let map): state = .sparseBlocks(map, size: size, stored: stored)
            case .sparsePrefix: state = .sparsePrefix(PrefixedSparseMap(), size: size, stored: stored)
            }
            return .member(member.header)
        }
    }

    private mutating func readSparseBlock(
        _ block: [UInt8], _ map: SparseMap, size: UInt64, stored: UInt64
    ) throws(TarError) {
        var map = map
        let malformed = TarError.badNumber(field: "map of a sparse file", offset: start)
        guard map.parts.count < Self.extensionLimit / 24 else { throw .extensionTooLarge(offset: start) }
        guard map.add(block, SparseMap.blockParts) else { throw malformed }
        if block[SparseMap.blockIsExtended] != 0 {
            // A block that adds nothing could be followed by as many more as the archive likes.
            guard position - start <= UInt64(Self.extensionLimit) else { throw .extensionTooLarge(offset: start) }
            state = .sparseBlocks(map, size: size, stored: stored)
        } else {
            guard map.fits(size: size, stored: stored) else { throw malformed }
            state = .sparse(SparseContent(map, size: size))
        }
    }

    private mutating func readSparsePrefix(
        _ block: [UInt8], _ map: PrefixedSparseMap, size: UInt64, stored: UInt64
    ) throws(TarError) {
        var reader = map
        let malformed = TarError.badNumber(field: "map of a sparse file", offset: start)
        guard reader.size + UInt64(block.count) <= stored else { throw malformed }
        guard let map = try reader.add(block, offset: start) else {
            state = .sparsePrefix(reader, size: size, stored: stored)
            return
        }
        guard map.fits(size: size, stored: stored - reader.size) else { throw malformed }
        state = .sparse(SparseContent(map, size: size))
    }

    /// The next block, once all of it has come.
    private mutating func takeBlock(from input: inout UnsafeRawBufferPointer) -> [UInt8]? {
        block.append(contentsOf: take(TarBlock.size - block.count, from: &input))
        guard block.count == TarBlock.size else { return nil }
        defer { block.removeAll(keepingCapacity: true) }
        return block
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
