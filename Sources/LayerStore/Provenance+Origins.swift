public import Bytes

extension Provenance {
    /// Looks up where a path of the layer was taken from.
    public struct Origins: Sendable {
        private let files: [TreePath: Origin]
        /// The deepest first: what is said of a directory within another counts.
        private let directories: [Directory]

        public init(_ provenance: Provenance) {
            files = Dictionary(provenance.files.map { ($0.path, $0) }) { first, _ in first }
            directories = (provenance.directories ?? []).byDepth
        }

        /// Of a regular file or link; of a directory nothing is meant by it.
        public subscript(path: TreePath) -> Origin? {
            files[path] ?? directories.first { path.isWithin($0.path) }?.origin(of: path)
        }
    }
}

extension [Provenance.Directory] {
    /// Those that lie within others first.
    public var byDepth: Self { sorted { ($1.path.bytes.count, $0.path) < ($0.path.bytes.count, $1.path) } }
}

extension Provenance.Directory {
    /// What is said by this of `file`, a path within it.
    func origin(of file: TreePath) -> Provenance.Origin {
        let source = source(of: file)
        return Provenance.Origin(
            path: file, source: source == file.bytes ? nil : source, package: nil, origin: origin)
    }

    /// Where `file`, a path within this, lay on the host.
    public func source(of file: TreePath) -> ByteString {
        if file == path { return source }
        let inside = file.bytes.bytes[(path.isRoot ? 0 : path.bytes.count)...]
        return source == "/" ? ByteString(inside) : source + ByteString(inside)
    }
}
