import Digests
import Posix

/// Writes to a file on another thread, so that reading what is written and writing it take the same time; a third reads it back
/// meanwhile, where that is asked for.
final class BackgroundFile: ByteSink {
    private static let window = 8

    private let file: StagedFile
    private let isKnown: Bool
    private let work: OrderedWork<Void, SystemError>
    /// The pieces that are being written.
    private var pieces: [[UInt8]] = []
    private let readBack: ReadBack?

    /// - Parameters:
    ///   - depth: what is read back; nil for nothing. What is read back is hashed then, and else what is written.
    ///   - isKnown: whether the digest is known, so that what is read back need not be compared with what was written.
    init(_ file: StagedFile, readingBack depth: ReadBack.Depth? = nil, isKnown: Bool = false) throws {
        self.file = file
        self.isKnown = isKnown
        work = OrderedWork(threads: 1)
        readBack = try depth.map { try ReadBack(file, $0) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws { try write(Array(bytes)) }

    func write(_ bytes: [UInt8]) throws {
        if work.count == Self.window { _ = try endWrite() }
        let (file, isHashing) = (file, readBack == nil)
        work.add { () throws(SystemError) in try file.write(bytes, hashing: isHashing) }
        pieces.append(bytes)
    }

    /// Waits for the oldest piece; false when there is none.
    private func endWrite() throws -> Bool {
        guard try work.next() != nil else { return false }
        let piece = pieces.removeFirst()
        if isKnown { try readBack?.advance(by: piece.count) } else { try readBack?.advance(over: piece) }
        return true
    }

    /// Waits until everything is written.
    ///
    /// - Returns: the digest and size of what was written.
    func finish() throws -> (digest: Digest, size: UInt64) {
        while try endWrite() {}
        return (try readBack?.catchUp() ?? file.digest, file.size)
    }

    /// Waits until everything is written and read back.
    ///
    /// - Parameters:
    ///   - digest: of what should be in the file; nil for that of what was written.
    ///   - name: what a file with that digest is called in errors.
    /// - Returns: the digest; and as ``ReadBack/finish(expecting:name:)``.
    /// - Throws: as that.
    func verify(
        expecting digest: Digest? = nil, name: (Digest) -> String
    ) throws -> (digest: Digest, content: ReadBack.Content?) {
        let written = try finish().digest
        let expected = digest ?? written
        return (expected, try readBack?.finish(expecting: expected, name: name(expected)))
    }
}
