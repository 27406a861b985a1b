public import Bytes

/// An installed binary package, as dpkg's status file names it (deb-control(5)).
public struct PackageIdentity: Hashable, Sendable {
    public var name: ByteString
    /// Nil when the status file does not know the package, as in a damaged database.
    public var version: ByteString?
    public var architecture: ByteString?
    /// The source package; the package's own name where it does not say.
    public var source: ByteString
    /// Nil when it is the package's own.
    public var sourceVersion: ByteString?

    public init(
        name: ByteString, version: ByteString? = nil, architecture: ByteString? = nil, source: ByteString? = nil,
        sourceVersion: ByteString? = nil
    ) {
        self.name = name
        self.version = version
        self.architecture = architecture
        self.source = source ?? name
        self.sourceVersion = sourceVersion
    }
}

extension PackageIdentity: CustomStringConvertible {
    /// `name version (architecture)`, without what is not known.
    public var description: String {
        "\(name)" + (version.map { " \($0)" } ?? "") + (architecture.map { " (\($0))" } ?? "")
    }
}
