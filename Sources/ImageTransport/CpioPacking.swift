public import Bytes
import Cpio
import Digests
public import Posix
public import Trees

extension ImageExporter {
    /// Writes the tree of `entries` as a cpio archive (newc) to the file `path`, which is replaced if it exists.
    ///
    /// - Returns: the paths whose extended attributes were left out: the format has none.
    /// - Throws: `CpioError`, and as ``writeLayout(_:named:at:)``.
    @discardableResult
    public func writeCpio(_ entries: Tree.Entries, at path: ByteString, compression: Compression) throws -> [TreePath] {
        let target = try fileTarget(path)
        let file = try StagedFile(in: target.parent, for: target.name)
        try packCpio(entries, compression, into: file)
        try file.publish(as: target.name, replacing: true)
        return Self.withAttributes(entries)
    }

    /// Writes the same to the open `output`, as standard output; it is closed at the end.
    @discardableResult
    public func writeCpio(
        _ entries: Tree.Entries, to output: consuming OwnedDescriptor, compression: Compression
    ) throws -> [TreePath] {
        try packCpio(entries, compression, into: DescriptorSink(output))
        return Self.withAttributes(entries)
    }

    private static func withAttributes(_ entries: Tree.Entries) -> [TreePath] {
        entries.lazy.filter { !$0.metadata.extendedAttributes.isEmpty }.map(\.path).sorted()
    }

    private func packCpio(_ entries: Tree.Entries, _ compression: Compression, into sink: any ByteSink) throws {
        try compression.compress(into: sink, level: compressionLevel, pool: pool) { sink in
            let output = HashingBuffer(output: sink, isHashing: false)
            var encoder = CpioEncoder()
            for entry in entries.sorted {
                guard let header = header(for: entry) else { continue }
                try output.write(encoder.encode(header))
                switch entry.kind {
                case .symlink(let target): try output.write(target.bytes)
                case .file(let digest, let size) where size > 0:
                    try contents.readChecked(digest, size: size, path: entry.path) { piece in
                        try output.write(piece)
                        try progress?(UInt64(piece.count))
                    }
                default: break
                }
                try output.write([UInt8](repeating: 0, count: CpioEncoder.padding(after: header.size)))
            }
            try output.write(CpioEncoder.trailer(after: output.count))
            try output.finish()
        }
    }

    private func header(for entry: Entry) -> CpioHeader? {
        var header = CpioHeader(
            name: entry.path.isRoot ? "." : entry.path.relative, mode: UInt32(entry.metadata.mode),
            uid: entry.metadata.uid, gid: entry.metadata.gid,
            modified: packing.recorded(entry.metadata.modified).seconds)
        // S_IFMT of inode(7).
        switch entry.kind {
        case .directory: header.mode |= 0o040000
        case .file(_, let size):
            header.mode |= 0o100000
            header.size = size
        case .symlink(let target):
            header.mode |= 0o120000
            header.size = UInt64(target.count)
        case .characterDevice(let major, let minor):
            header.mode |= 0o020000
            header.device = (major, minor)
        case .blockDevice(let major, let minor):
            header.mode |= 0o060000
            header.device = (major, minor)
        case .fifo: header.mode |= 0o010000
        case .whiteout: return nil
        }
        return header
    }
}
