import Digests
import Trees

/// Writes a tar again from its ``Skeleton`` and the contents of its files.
struct TarAssembly {
    let skeleton: Skeleton
    let contents: any ContentSource
    let progress: (@Sendable (UInt64) throws -> Void)?

    /// Writes the tar to `sink` and computes its digest in the same pass. Memory does not grow with the size of the files.
    ///
    /// - Throws: ``TransportError/invalidSkeleton(_:)`` when the skeleton does not fit its contents, and what the contents and
    ///   the sink throw.
    func write(into sink: any ByteSink) throws -> LayerPacking.Result {
        let output = HashingBuffer(output: sink)
        guard let compressed = try contents.size(of: skeleton.others) else {
            throw TransportError.invalidSkeleton(skeleton.others)
        }
        var next = 0
        var left = skeleton.parts.first?.others ?? skeleton.tail
        // The other bytes lead; wherever a content is due, it is written between them.
        func advance() throws {
            while left == 0, next < skeleton.parts.count {
                try writeContent(from: &next, into: output)
                left = next < skeleton.parts.count ? skeleton.parts[next].others : skeleton.tail
            }
        }
        // The parts of a sparse file have bytes between them.
        let decompressor = try GzipDecompressor(limit: skeleton.size)
        try advance()
        try contents.readContent(skeleton.others, size: compressed) { piece in
            try decompressor.decompress(piece) { bytes in
                var rest = bytes
                while !rest.isEmpty {
                    let count = Int(min(left, UInt64(rest.count)))
                    guard count > 0 else { throw TransportError.invalidSkeleton(skeleton.others) }
                    try output.write(UnsafeRawBufferPointer(rebasing: rest[..<count]))
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                    left -= UInt64(count)
                    try advance()
                }
            }
        }
        try decompressor.finish()
        guard next == skeleton.parts.count, left == 0 else { throw TransportError.invalidSkeleton(skeleton.others) }
        try output.finish()
        return LayerPacking.Result(diffID: DiffID(output.digest), size: output.count)
    }

    /// Writes the part at `next`, and those behind it that follow in the same content without other bytes between.
    private func writeContent(from next: inout Int, into output: HashingBuffer) throws {
        let part = skeleton.parts[next]
        next += 1
        guard let size = try contents.size(of: part.content) else {
            throw TransportError.invalidSkeleton(part.content)
        }
        let range = part.offset..<(part.offset + part.count)
        guard range.upperBound <= size else { throw TransportError.invalidSkeleton(part.content) }
        var position: UInt64 = 0
        var ranges = [range]
        while next < skeleton.parts.count, skeleton.parts[next].others == 0,
            skeleton.parts[next].content == part.content,
            skeleton.parts[next].offset >= (ranges.last?.upperBound ?? 0)
        {
            let more = skeleton.parts[next].offset..<(skeleton.parts[next].offset + skeleton.parts[next].count)
            guard more.upperBound <= size else { throw TransportError.invalidSkeleton(part.content) }
            ranges.append(more)
            next += 1
        }
        var index = 0
        try contents.readContent(part.content, size: size) { piece in
            let end = position + UInt64(piece.count)
            while index < ranges.count, ranges[index].lowerBound < end {
                let wanted = max(ranges[index].lowerBound, position)..<min(ranges[index].upperBound, end)
                let slice = piece[Int(wanted.lowerBound - position)..<Int(wanted.upperBound - position)]
                try output.write(UnsafeRawBufferPointer(rebasing: slice))
                if ranges[index].upperBound > end { break }
                index += 1
            }
            position = end
            try progress?(UInt64(piece.count))
        }
    }
}
