public import Bytes
import Foundation

/// Where the files of a layer came from, and why each is in it.
public struct Provenance: Hashable, Sendable, Codable {
    public var schemaVersion = 1
    /// What was asked for.
    public var requests: [Request]
    /// Directories whose files came along as they lay in it: what is said here holds of every regular file and link below it that
    /// ``files`` does not name. Nil when there are none.
    public var directories: [Directory]?
    /// The origin of every other regular file and link, sorted by path.
    public var files: [Origin]
    /// Why one file brought in another, in the order in which they were found.
    public var edges: [Edge]

    public init(requests: [Request], directories: [Directory] = [], files: [Origin], edges: [Edge]) {
        (self.requests, self.files, self.edges) = (requests, files, edges)
        self.directories = directories.isEmpty ? nil : directories
    }

    /// A program as the person named it, and the path that was meant.
    public struct Request: Hashable, Sendable, Codable {
        public var text: String
        public var path: TreePath
        /// The path by which it was found, which may be a link to ``path``.
        public var opened: ByteString

        public init(text: String, path: TreePath, opened: ByteString) {
            (self.text, self.path, self.opened) = (text, path, opened)
        }
    }

    /// Where one path of the layer was taken from.
    public struct Origin: Hashable, Sendable, Codable {
        /// In the layer.
        public var path: TreePath
        /// On the host; nil when it is the same, or when the file is generated.
        public var source: ByteString?
        /// The Debian package that owns it, where one does.
        public var package: Package?
        /// What was asked for, when it was no program: `package bash`, `preset certs`, `file ./motd`. Nil for what
        /// programs need, of which the edges tell.
        public var origin: String?
        /// True when layerfs made the content up; else absent.
        public var isGenerated: Bool?

        public init(
            path: TreePath, source: ByteString?, package: Package?, origin: String? = nil, isGenerated: Bool? = nil
        ) {
            (self.path, self.source, self.package) = (path, source, package)
            (self.origin, self.isGenerated) = (origin, isGenerated)
        }
    }

    /// Where a directory of the layer was taken from, with all in it.
    public struct Directory: Hashable, Sendable, Codable {
        /// In the layer.
        public var path: TreePath
        /// On the host.
        public var source: ByteString
        /// What was asked for, as in ``Origin/origin``.
        public var origin: String?

        public init(path: TreePath, source: ByteString, origin: String?) {
            (self.path, self.source, self.origin) = (path, source, origin)
        }
    }

    /// An installed package.
    public struct Package: Hashable, Sendable, Codable {
        public var name: String
        public var version: String
        public var architecture: String

        public init(name: String, version: String, architecture: String) {
            (self.name, self.version, self.architecture) = (name, version, architecture)
        }
    }

    /// One file needing another.
    public struct Edge: Hashable, Sendable, Codable {
        /// The file that needs; nil when it was asked for.
        public var from: TreePath?
        public var to: TreePath
        /// The rule: `needed`, `interpreter`, `shebang` …
        public var kind: String
        /// The name that was looked for, such as a soname.
        public var name: ByteString?
        /// How it was found: `cache`, `system directory`, `runpath` …
        public var found: String?
        /// The links that lead to the file, each an entry of the layer; nil when there are none.
        public var via: [TreePath]?

        public init(
            from: TreePath?, to: TreePath, kind: String, name: ByteString?, found: String?, via: [TreePath]? = nil
        ) {
            (self.from, self.to, self.kind, self.name, self.found, self.via) = (from, to, kind, name, found, via)
        }
    }
}

extension Provenance {
    private static let what: ByteString = "the provenance"

    /// The document that the store keeps: sorted keys, as all that it writes.
    func json() throws(LayerStoreError) -> [UInt8] {
        var text = Array("{".utf8)
        text.reserveCapacity(files.count * 160)
        if let directories {
            text.append(contentsOf: #""directories":"#.utf8)
            try StoreJSON.append(directories, to: &text, what: Self.what)
            text.append(UInt8(ascii: ","))
        }
        text.append(contentsOf: #""edges":"#.utf8)
        try StoreJSON.append(edges, to: &text, what: Self.what)
        text.append(contentsOf: #","files":"#.utf8)
        try StoreJSON.append(files, to: &text, what: Self.what)
        text.append(contentsOf: #","requests":"#.utf8)
        try StoreJSON.append(requests, to: &text, what: Self.what)
        text.append(contentsOf: #","schemaVersion":\#(schemaVersion)}"#.utf8)
        return text
    }
}
