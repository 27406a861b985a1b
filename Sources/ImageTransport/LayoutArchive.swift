import Bytes
import Digests
import Posix
import Tar

/// An image layout as one canonical tar: sorted, root's, without times.
enum LayoutArchive {
    /// Writes the layout in the directory `root`, all of which is the layout's, to `sink`.
    static func write(_ root: consuming OwnedDescriptor, into sink: any ByteSink) throws {
        let blobs = try root.open("blobs/sha256", [.readOnly, .directory]).names().map(\.name).sorted()
        let documents = try root.names().filter { $0.name != "blobs" }.map(\.name).sorted()
        let files = LayoutFiles(root)
        // `blobs` sorts before the names of all documents.
        let output = HashingBuffer(output: sink, isHashing: false)
        for name: ByteString in ["blobs", "blobs/sha256"] {
            try output.write(TarEncoder.encode(TarHeader(name: name, kind: .directory, mode: 0o755)))
        }
        for name in blobs.map({ "blobs/sha256/" + $0 }) + documents {
            guard let text = name.utf8Text, let size = try files.size(of: text) else {
                throw TransportError.missing(name: "\(name)")
            }
            try output.write(TarEncoder.encode(TarHeader(name: name, kind: .file(size: size), mode: 0o644)))
            var count: UInt64 = 0
            try files.read(text) { piece in
                count += UInt64(piece.count)
                try output.write(piece)
            }
            guard count == size else { throw TransportError.sizeMismatch(name: text, expected: size, actual: count) }
            try output.write([UInt8](repeating: 0, count: TarEncoder.padding(after: size)))
        }
        try output.write(TarEncoder.endOfArchive)
        try output.finish()
    }
}
