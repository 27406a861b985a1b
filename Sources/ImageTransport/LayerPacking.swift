import Bytes
public import Digests
import Posix
import Tar
public import Trees

/// Turns the entries of a tree, or of one layer's part of it, into the canonical tar of a layer.
///
/// The order of the members is that of the paths' bytes, whiteouts first among their siblings (image-spec, layer.md,
/// Whiteouts); what a member says depends on its entry and ``sourceDateEpoch`` alone.
public struct LayerPacking: Sendable {
    /// Times later than this many seconds since 1970 become this (reproducible-builds.org, SOURCE_DATE_EPOCH).
    public var sourceDateEpoch: Int64?

    public init(sourceDateEpoch: Int64? = nil) { self.sourceDateEpoch = sourceDateEpoch }

    /// The digest and the size of an uncompressed layer.
    public struct Result: Hashable, Sendable {
        public var diffID: DiffID
        /// In bytes.
        public var size: UInt64
    }

    /// `entry` as a reader of the layer will see it: time clamped and in whole seconds.
    public func recorded(_ entry: Entry) -> Entry {
        var recorded = entry
        recorded.metadata.modified = self.recorded(entry.metadata.modified)
        return recorded
    }

    /// The time of an entry as a reader of the layer will see it.
    public func recorded(_ time: Timestamp) -> Timestamp {
        Timestamp(seconds: min(time.seconds, sourceDateEpoch ?? .max))
    }

    /// Writes the tar of `entries` to `sink` and computes its digest in the same pass. Memory does not grow with the
    /// size of the files.
    ///
    /// - Throws: ``TransportError``, `TarError` for what tar cannot express, and what `contents` and the sink throw.
    func pack(
        _ entries: Tree.Entries, from contents: any ContentSource, into sink: any ByteSink,
        pool: WorkerPool = WorkerPool(), progress: (@Sendable (UInt64) throws -> Void)?
    ) throws -> Result {
        let output = HashingBuffer(output: sink, pool: pool)
        try write(entries, from: contents, into: output, progress: progress)
        return Result(diffID: DiffID(output.digest), size: output.count)
    }

    /// Writes the tar of `entries` to `output`, and finishes it.
    ///
    /// - Throws: as ``pack(_:from:into:pool:progress:)``.
    func write(
        _ entries: Tree.Entries, from contents: any ContentSource, into output: HashingBuffer,
        progress: (@Sendable (UInt64) throws -> Void)?
    ) throws {
        for entry in Self.ordered(entries) {
            try output.write(TarEncoder.encode(header(for: entry)))
            guard case .file(let digest, let size) = entry.kind, size > 0 else { continue }
            try contents.readChecked(digest, size: size, path: entry.path) { piece in
                try output.write(piece)
                try progress?(UInt64(piece.count))
            }
            try output.write([UInt8](repeating: 0, count: TarEncoder.padding(after: size)))
        }
        try output.write(TarEncoder.endOfArchive)
        try output.finish()
    }

    static func ordered(_ entries: Tree.Entries) -> Tree.Entries {
        // As those of a tree are, in order.
        guard entries.haveWhiteouts else { return entries.sorted }
        // No name begins with NUL, so that such a key comes before all siblings.
        let keyed = entries.map { entry in
            (
                key: entry.kind == .whiteout
                    ? entry.path.parent.bytes + ByteString([0x2f, 0]) + entry.path.name : entry.path.bytes, entry: entry
            )
        }
        return Tree.Entries(keyed.sorted { $0.key < $1.key }.lazy.map(\.entry))
    }

    func header(for entry: Entry) throws(TransportError) -> TarHeader {
        let name: ByteString = entry.path.isRoot ? "." : entry.path.relative
        guard !entry.path.nameHasPrefix(WhiteoutName.prefix) || entry.isOpaqueMarker else {
            throw .reservedName(entry.path)
        }
        let kind: TarHeader.Kind
        switch entry.kind {
        case .directory: kind = .directory
        case .file(_, let size): kind = .file(size: size)
        case .symlink(let target): kind = .symlink(target: target)
        case .characterDevice(let major, let minor): kind = .characterDevice(major: major, minor: minor)
        case .blockDevice(let major, let minor): kind = .blockDevice(major: major, minor: minor)
        case .fifo: kind = .fifo
        case .whiteout:
            // Nothing of it is ever extracted, so that nothing of it needs to vary.
            let marker =
                entry.isOpaqueMarker
                ? entry.path.relative : entry.path.parent.appending(WhiteoutName.prefix + entry.path.name).relative
            return TarHeader(name: marker, kind: .file(size: 0), mode: 0o644)
        }
        return TarHeader(
            name: name, kind: kind, mode: entry.metadata.mode, uid: entry.metadata.uid, gid: entry.metadata.gid,
            modified: recorded(entry.metadata.modified).seconds,
            extendedAttributes: entry.metadata.extendedAttributes.map { .init(name: $0.name, value: $0.value) })
    }
}

extension ContentSource {
    /// Streams a content, and sees to it that it has neither more nor fewer bytes than its entry says.
    ///
    /// - Throws: ``TransportError/contentSize(_:expected:actual:)``, what the source and `body` throw.
    func readChecked(
        _ digest: Digest, size: UInt64, path: TreePath, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var count: UInt64 = 0
        try readContent(digest, size: size) { piece in
            count += UInt64(piece.count)
            // A content too long must not become headers of further members.
            guard count <= size else { throw TransportError.contentSize(path, expected: size, actual: count) }
            try body(piece)
        }
        guard count == size else { throw TransportError.contentSize(path, expected: size, actual: count) }
    }
}
