import Digests
import OCI
import RegistryProtocol

/// A repository of a registry that is connected.
public struct Repository: Sendable {
    let session: RegistrySession
    let options: RegistryOptions
    public let name: String

    /// - Parameter name: as ``RegistryPlace/repository``.
    public init(_ connection: RegistryConnection, _ name: String) {
        session = connection.session
        options = connection.options
        self.name = name
    }

    /// What is needed to read, and to write, as token servers write it.
    var pullScope: [String] { ["repository:\(name):pull"] }
    var pushScope: [String] { ["repository:\(name):pull,push"] }

    func url(_ path: String) -> HTTPURL { HTTPURL(origin: session.registry, path: "/v2/\(name)/\(path)") }

    func blobURL(_ digest: Digest) -> HTTPURL { url("blobs/\(digest)") }
    func manifestURL(_ reference: String) -> HTTPURL { url("manifests/\(reference)") }
}

extension Descriptor {
    /// - Throws: ``RegistryError/malformedDocument(name:_:)`` for another algorithm.
    func checkedDigest() throws(RegistryError) -> Digest {
        do { return try sha256() } catch { throw .malformedDocument(name: "a descriptor", error) }
    }
}
