import Digests
import Posix

/// Writes to a file on another thread, so that reading what is written and writing it take the same time; a third reads it back
/// meanwhile, where that is asked for.
final class BackgroundFile: ByteSink {
    private static let window = 8

    private let file: StagedFile
    private let isHashing: Bool
    private let work: OrderedWork<Void, SystemError>
    /// How large the pieces are that are being written.
    private var sizes: [Int] = []
    private let readBack: ReadBack?

    /// - Parameters:
    ///   - depth: what is read back; nil for nothing.
    ///   - isHashing: false when the digest is found by reading back alone.
    init(_ file: StagedFile, readingBack depth: ReadBack.Depth? = nil, isHashing: Bool = true) throws {
        self.file = file
        self.isHashing = isHashing
        work = try OrderedWork(threads: 1)
        readBack = try depth.map { try ReadBack(file, $0) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws { try write(Array(bytes)) }

    func write(_ bytes: [UInt8]) throws {
        if work.count == Self.window { _ = try endWrite() }
        let (file, isHashing) = (file, isHashing)
        work.add { () throws(SystemError) in try file.write(bytes, hashing: isHashing) }
        sizes.append(bytes.count)
    }

    /// Waits for the oldest piece; false when there is none.
    private func endWrite() throws -> Bool {
        guard try work.next() != nil else { return false }
        try readBack?.advance(by: sizes.removeFirst())
        return true
    }

    /// Waits until everything is written.
    func finish() throws { while try endWrite() {} }

    /// What was written, when it is finished.
    var result: LayerPacking.Result { LayerPacking.Result(diffID: DiffID(file.digest), size: file.size) }

    /// Waits until everything is written and read back.
    ///
    /// - Parameter digest: of what should be in the file; nil for that of what was written.
    /// - Returns: as ``ReadBack/finish(expecting:name:)``.
    /// - Throws: as that.
    func verify(expecting digest: Digest? = nil, name: String) throws -> ReadBack.Content? {
        try finish()
        return try readBack?.finish(expecting: digest ?? file.digest, name: name)
    }
}
