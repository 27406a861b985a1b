import Digests
import OCI

/// A registry on this machine that is spoken to in the clear: asked whether it has what it is believed to have, before anything begins
/// that TLS, proxies, credentials and transfers need (docs/decisions/0036-nearby-registries.md).
///
/// It only ever says yes, or nothing: whatever is not answered plainly, the client of `Registry` asks again, and says what is wrong.
public struct NearbyRegistry: Sendable {
    private let origin: Origin

    /// nil where the registry `host` is elsewhere. Only for those who do not want certificates to be verified.
    public init?(host: String) {
        guard let origin = try? RegistryPlace.origin(of: host, isSecure: false), origin.isLoopback else { return nil }
        self.origin = origin
    }

    /// The image that `reference` stands for in `repository`, if all blobs that its manifest names are there.
    public func wholeImage(_ reference: String, in repository: String) -> RemoteManifest? {
        var connection = NearbyConnection(origin)
        guard let manifest = try? Self.manifest(reference, in: repository, &connection), manifest.isWholeImage
        else { return nil }
        for blob in RemoteManifest.blobs(of: [manifest]) {
            guard let digest = try? blob.sha256(),
                let answer = try? connection.ask(.head, "/v2/\(repository)/blobs/\(digest)"),
                answer.head.status == 200, !answer.head.hasWarning
            else { return nil }
        }
        return manifest
    }

    /// The manifest or index `reference` of `repository`; a tag or a digest.
    public func manifest(_ reference: String, in repository: String) -> RemoteManifest? {
        var connection = NearbyConnection(origin)
        return try? Self.manifest(reference, in: repository, &connection)
    }

    private static func manifest(
        _ reference: String, in repository: String, _ connection: inout NearbyConnection
    ) throws -> RemoteManifest? {
        let accepted = RemoteManifest.acceptedTypes.map(\.text).joined(separator: ", ")
        let answer = try connection.ask(
            .get, "/v2/\(repository)/manifests/\(reference)", [("Accept", accepted)], limit: JSONValue.sizeLimit)
        guard answer.head.status == 200, !answer.head.hasWarning else { return nil }
        return try RemoteManifest(
            answer.body, type: answer.head.field("content-type"), claimed: answer.head.field("docker-content-digest"),
            reference: reference, what: reference)
    }
}

extension ResponseHead {
    /// Whether the registry has something to say to whoever asks (RFC 7234, section 5.5).
    fileprivate var hasWarning: Bool { field("warning") != nil }
}
