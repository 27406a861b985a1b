public import Bytes
public import Digests
public import Posix
import SystemPackage

/// Compressed layers as they were written before: what is known is neither read nor compressed again.
///
/// A layer is known by what it is made of: entries with the digests of their contents, codec, level and version of the library. It lies in
/// a file of its own beside a record (``CachedLayer``), `DIFFID.KEY` and `DIFFID.KEY.record`; where the file system allows it, the
/// file is the same inode as in the image that was written, so that keeping it costs nothing. A file whose inode is not as it was
/// left is read before it is believed. Everything here can be made again, so that trouble with the cache is never an error.
public final class LayerCache: Sendable {
    /// The directory of a store's cache that holds layers.
    public static let directoryName: ByteString = "layers"

    let directory: OwnedDescriptor
    /// In bytes; the layers that were used longest ago go first.
    private let limit: UInt64

    /// A cache in `directory`.
    ///
    /// - Parameter limit: how many bytes it may take, about.
    public init(_ directory: consuming OwnedDescriptor, limit: UInt64 = 8 << 30) {
        self.directory = directory
        self.limit = limit
    }

    /// A layer of the cache, and where it is.
    struct Found {
        var name: ByteString
        var layer: CachedLayer
    }

    /// The layer made of what `key` says; nil when there is none that is what it should be.
    func find(_ key: Digest) -> Found? {
        let suffix = ByteString(".\(key.hexadecimal)")
        guard let names = try? directory.names(), let name = names.first(where: { $0.name.hasSuffix(suffix) })?.name
        else { return nil }
        return load(name)
    }

    /// The digest of the layer whose tar has this `diffID`, as `compression` makes it without further options; nil when there is
    /// none.
    public func digest(ofLayerWith diffID: DiffID, _ compression: Compression) -> Digest? {
        let (prefix, codec) = (ByteString("\(diffID.digest.hexadecimal)."), Self.codec(compression, level: nil))
        let names = ((try? directory.names()) ?? []).map(\.name)
        for name in names where name.hasPrefix(prefix) && !name.hasSuffix(Self.recordSuffix) {
            if let layer = load(name)?.layer, layer.codec == codec { return layer.digest }
        }
        return nil
    }

    /// The layers that were used last, the newest first.
    func recent(limit: Int) -> [Found] {
        let records = records().prefix(limit)
        return records.compactMap { load($0.name) }
    }

    /// Makes the cached layer the file `name` of `other` by a hard link, or a copy.
    ///
    /// - Returns: whether it is the same inode, whose content is known.
    /// - Throws: EEXIST when the name is taken.
    func put(_ found: Found, as name: ByteString, in other: borrowing OwnedDescriptor) throws(SystemError) -> Bool {
        touch(found.name)
        do {
            try other.makeLink(name, to: found.name, in: directory)
            return true
        } catch  where error.errno == .fileExists {
            throw error
        } catch {
            let copy = try StagedFile(in: other, for: name)
            try copy.fill(from: directory.open(found.name, [.readOnly, .noFollow]))
            try copy.publish(as: name, replacing: false)
            return false
        }
    }

    /// Keeps the file `name` of `other`, which holds `layer`.
    func keep(_ layer: CachedLayer, key: Digest, from other: borrowing OwnedDescriptor, _ name: ByteString) {
        guard layer.size <= limit else { return }
        let place = ByteString("\(layer.tar.diffID.digest.hexadecimal).\(key.hexadecimal)")
        try? directory.removeFile(place + Self.recordSuffix)
        try? directory.removeFile(place)
        do {
            try copy(name, in: other, to: place)
            // Several images have it: nobody is to change it in one of them, as an editor would.
            try directory.setPermissions(0o444, of: place)
            var layer = layer
            let status = try directory.status(of: place)
            (layer.inode, layer.modified) = (status.identity.inode, status.modified)
            try write(layer, place)
        } catch {
            return
        }
        evict()
    }

    // MARK: Files

    private static let recordSuffix: ByteString = ".record"
    private static let recordLimit = 256 << 20

    private func copy(
        _ name: ByteString, in other: borrowing OwnedDescriptor, to place: ByteString
    ) throws(SystemError) {
        do {
            try directory.makeLink(place, to: name, in: other)
        } catch  where error.errno != .fileExists {
            let copy = try StagedFile(in: directory, for: place)
            try copy.fill(from: other.open(name, [.readOnly, .noFollow]))
            try copy.publish(as: place, replacing: false)
        }
    }

    private func write(_ layer: CachedLayer, _ place: ByteString) throws {
        let file = try StagedFile(in: directory, for: place + Self.recordSuffix)
        try file.write(layer.bytes)
        // One that is torn shows it.
        try file.publish(as: place + Self.recordSuffix, replacing: true, flushing: false)
    }

    private func load(_ name: ByteString) -> Found? {
        guard
            let bytes = try? directory.open(name + Self.recordSuffix, [.readOnly, .noFollow, .nonBlocking])
                .readAll(limit: Self.recordLimit),
            var layer = CachedLayer(bytes: bytes),
            let file = try? directory.open(name, [.readOnly, .noFollow, .nonBlocking]), let status = try? file.status()
        else { return nil }
        if layer.isLeft(status) { return Found(name: name, layer: layer) }
        // Somebody wrote to it, or the whole store was copied: what it holds decides.
        guard status.kind == .regular, status.size == layer.size, (try? file.digestOfRest()) == layer.digest else {
            remove(name)
            return nil
        }
        (layer.inode, layer.modified) = (status.identity.inode, status.modified)
        try? write(layer, name)
        return Found(name: name, layer: layer)
    }

    private func remove(_ name: ByteString) {
        try? directory.removeFile(name + Self.recordSuffix)
        try? directory.removeFile(name)
    }

    /// Notes that a layer was used.
    private func touch(_ name: ByteString) {
        // Of the record: the time of the layer tells whether it was written to.
        try? directory.setModified(.now, of: name + Self.recordSuffix)
    }

    /// The names of all layers with the times of their last use, the newest first.
    private func records() -> [(name: ByteString, used: FileTime)] {
        let names = (try? directory.names()) ?? []
        let records = names.compactMap { entry -> (name: ByteString, used: FileTime)? in
            guard entry.name.hasSuffix(Self.recordSuffix), let status = try? directory.status(of: entry.name) else {
                return nil
            }
            return (ByteString(entry.name.bytes.dropLast(Self.recordSuffix.count)), status.modified)
        }
        return records.sorted {
            ($1.used.seconds, $1.used.nanoseconds, $1.name) < ($0.used.seconds, $0.used.nanoseconds, $0.name)
        }
    }

    private func evict() {
        var total: UInt64 = 0
        for record in records() {
            total += (try? directory.status(of: record.name).size) ?? 0
            if total > limit { remove(record.name) }
        }
    }
}

extension LayerCache {
    /// Identifies a way to compress: other libraries, versions and levels give other bytes.
    public static func codec(_ compression: Compression, level: Int?) -> Digest {
        let level = level ?? compression.usualLevel
        let library =
            switch compression {
            case .none: "none"
            case .gzip: "\(DeflateSegment.codec) in segments 2"
            case .zstd: ZstdCompressor.codec
            }
        return Digest(hashing: Array("\(library) \(level)".utf8))
    }
}

extension OwnedDescriptor {
    /// Reads to the end.
    borrowing func digestOfRest() throws -> Digest {
        var hasher = DigestHasher()
        try ImageTransport.forEachPiece(of: self) { hasher.update($0) }
        return hasher.finalize()
    }
}
