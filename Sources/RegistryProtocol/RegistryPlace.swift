import Digests
public import OCI

/// A repository of a registry, perhaps one image of it: `docker://HOST[:PORT]/REPOSITORY[:TAG|@DIGEST]`, as skopeo writes it.
public struct RegistryPlace: Hashable, Sendable, CustomStringConvertible {
    public static let prefix = "docker://"

    /// As it was given, with the registry filled in.
    public let reference: Reference
    /// The registry as its credentials are filed: `docker.io`, `host:5000`.
    public let host: String

    /// - Throws: ``RegistryError/malformedPlace(_:reason:)``.
    public init(parsing text: String) throws(RegistryError) {
        guard text.hasPrefix(Self.prefix) else {
            throw .malformedPlace(text, reason: "write it as docker://HOST/REPOSITORY:TAG")
        }
        let name = String(text.dropFirst(Self.prefix.count))
        guard var reference = try? Reference(parsing: name) else {
            throw .malformedPlace(
                text, reason: "write it as docker://HOST/REPOSITORY:TAG; repositories are in lower case")
        }
        let qualified = reference.qualified
        (reference.registry, reference.repository) = (qualified.registry, qualified.repository)
        self.reference = reference
        host = qualified.registry ?? "docker.io"
    }

    public var repository: String { reference.repository }

    /// What a manifest is asked for by: the digest where there is one, else the tag, else `latest`.
    public var manifestName: String { reference.digest?.description ?? reference.tag ?? "latest" }

    /// Whether the place names a whole repository.
    public var isRepository: Bool { reference.tag == nil && reference.digest == nil }

    public var description: String { Self.prefix + reference.description }

    /// Where the registry listens. The registry of Docker is `docker.io` by name, but not by address.
    ///
    /// - Throws: ``RegistryError/malformedPlace(_:reason:)``.
    public func origin(isSecure: Bool) throws(RegistryError) -> Origin { try Self.origin(of: host, isSecure: isSecure) }

    /// As ``origin(isSecure:)``, of a registry by its name alone.
    public static func origin(of host: String, isSecure: Bool) throws(RegistryError) -> Origin {
        let address = isDockerHub(host) ? "registry-1.docker.io" : host
        do {
            return try Origin(isSecure: isSecure, authority: address, of: host)
        } catch {
            throw .malformedPlace(host, reason: "the registry is no HOST or HOST:PORT")
        }
    }

    package static func isDockerHub(_ host: String) -> Bool { ["docker.io", "index.docker.io"].contains(host) }
}
