public import Bytes
public import Digests
public import Posix
public import Trees

extension ImageExporter {
    /// Writes `entries` as one tar to the file `path`, which is replaced if it exists; it is read back while it is written.
    ///
    /// - Parameter known: gives the digest of the canonical tar of exactly these entries, where it was computed before: then one pass
    ///   over what was written proves both the contents and the file.
    /// - Throws: as ``writeLayout(_:named:at:)``.
    @discardableResult
    public func writeTar(
        _ entries: Tree.Entries, at path: ByteString, compression: Compression = .none,
        known: (@Sendable () throws -> DiffID?)? = nil
    ) throws -> LayerPacking.Result {
        let target = try fileTarget(path)
        let file = try StagedFile(in: target.parent, for: target.name)
        let result =
            switch compression {
            case .none: try write(entries, to: file, named: "\(path)", packing.diffID(of: entries, known: known))
            case .gzip, .zstd: try write(entries, to: file, named: "\(path)", compression)
            }
        try file.publish(as: target.name, replacing: true)
        return result
    }

    private func write(
        _ entries: Tree.Entries, to file: StagedFile, named name: String, _ diffID: DiffID?
    ) throws -> LayerPacking.Result {
        let output = try BackgroundFile(file, readingBack: .digest, isKnown: diffID != nil)
        guard let diffID else {
            let result = try packPlain(entries, into: output)
            _ = try output.verify { _ in name }
            return result
        }
        let buffer = HashingBuffer(output: output, isHashing: false)
        try packing.write(entries, from: UncheckedContents(contents), into: buffer, progress: progress)
        do {
            _ = try output.verify(expecting: diffID.digest) { _ in name }
        } catch let error as TransportError {
            // Damaged contents are told as what they are.
            try check(entries)
            throw error
        }
        return LayerPacking.Result(diffID: diffID, size: buffer.count)
    }

    private func check(_ entries: Tree.Entries) throws {
        for entry in entries {
            guard case .file(let digest, let size) = entry.kind, size > 0 else { continue }
            try contents.readContent(digest, size: size) { _ in }
        }
    }

    private func write(
        _ entries: Tree.Entries, to file: StagedFile, named name: String, _ compression: Compression
    ) throws -> LayerPacking.Result {
        let output = try BackgroundFile(file, readingBack: .decoding(isHashing: true))
        let result = try pack(entries, compression, into: output)
        guard let found = try output.verify(name: { _ in name }).content?.digest, found != result.diffID.digest else {
            return result
        }
        throw TransportError.digestMismatch(name: name, expected: result.diffID.digest, actual: found)
    }

    /// Writes `entries` as one tar to the open `output`, as standard output; it is closed at the end.
    ///
    /// - Throws: as ``writeLayout(_:named:at:)``.
    @discardableResult
    public func writeTar(
        _ entries: Tree.Entries, to output: consuming OwnedDescriptor, compression: Compression = .none
    ) throws -> LayerPacking.Result {
        try pack(entries, compression, into: DescriptorSink(output))
    }
}

/// Contents whose digests are not compared: for who compares that of all they go into.
private struct UncheckedContents: ContentSource {
    private let contents: any ContentSource

    init(_ contents: any ContentSource) { self.contents = contents }

    func size(of digest: Digest) throws -> UInt64? { try contents.size(of: digest) }

    func readContent(_ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try contents.readUnchecked(digest, size: size, body)
    }
}
