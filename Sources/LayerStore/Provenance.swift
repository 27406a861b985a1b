public import Bytes
import Foundation

/// Where the files of a layer came from, and why each is in it.
public struct Provenance: Hashable, Sendable, Codable {
    public var schemaVersion = 1
    /// What was asked for.
    public var requests: [Request]
    /// The origin of every regular file and link, sorted by path.
    public var files: [Origin]
    /// Why one file brought in another, in the order in which they were found.
    public var edges: [Edge]

    public init(requests: [Request], files: [Origin], edges: [Edge]) {
        (self.requests, self.files, self.edges) = (requests, files, edges)
    }

    /// A program as the person named it, and the path that was meant.
    public struct Request: Hashable, Sendable, Codable {
        public var text: String
        public var path: TreePath

        public init(text: String, path: TreePath) { (self.text, self.path) = (text, path) }
    }

    /// Where one path of the layer was taken from.
    public struct Origin: Hashable, Sendable, Codable {
        /// In the layer.
        public var path: TreePath
        /// On the host; nil when it is the same.
        public var source: ByteString?
        /// The Debian package that owns it, where one does.
        public var package: Package?

        public init(path: TreePath, source: ByteString?, package: Package?) {
            (self.path, self.source, self.package) = (path, source, package)
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

        public init(from: TreePath?, to: TreePath, kind: String, name: ByteString?, found: String?) {
            (self.from, self.to, self.kind, self.name, self.found) = (from, to, kind, name, found)
        }
    }
}
