public import Bytes

/// Where an image lies or goes, as skopeo and its kin write it: `oci:DIR:REF`, `docker-archive:FILE`
/// (containers-transports(5)).
public struct ImageLocation: Hashable, Sendable, CustomStringConvertible {
    public enum Transport: String, Hashable, Sendable, CaseIterable {
        /// An image layout in a directory.
        case oci
        /// An image layout in a tar archive.
        case ociArchive = "oci-archive"
        /// What `docker load` reads and `docker save` writes.
        case dockerArchive = "docker-archive"
        /// A registry.
        case docker
    }

    public var transport: Transport
    /// Of the directory or file; of a registry all after the `//`.
    public var path: ByteString
    /// What follows the path, if anything does: for `oci` and `oci-archive` a name in the index, for `docker-archive` an
    /// image's full name.
    public var reference: String?

    /// - Returns: nil when `text` begins with no transport: then it is a path or a name.
    /// - Throws: ``TransportError/malformedLocation(_:reason:)``.
    public init?(parsing text: ByteString) throws(TransportError) {
        guard let colon = text.bytes.firstIndex(of: UInt8(ascii: ":")),
            let transport = ByteString(text.bytes[..<colon]).utf8Text.flatMap(Transport.init(rawValue:))
        else { return nil }
        func malformed(_ reason: String) -> TransportError { .malformedLocation(text, reason: reason) }
        self.transport = transport
        let rest = ByteString(text.bytes[(colon + 1)...])
        if transport == .docker {
            guard rest.hasPrefix("//"), rest.count > 2 else { throw malformed("write docker://HOST/NAME:TAG") }
            path = ByteString(rest.bytes.dropFirst(2))
            return
        }
        // As skopeo: the first colon ends the path.
        let end = rest.bytes.firstIndex(of: UInt8(ascii: ":"))
        path = ByteString(rest.bytes[..<(end ?? rest.bytes.endIndex)])
        guard !path.isEmpty else { throw malformed("it has no path") }
        guard let end else { return }
        guard let reference = ByteString(rest.bytes[(end + 1)...]).utf8Text, !reference.isEmpty else {
            throw malformed("there is no name after the path")
        }
        self.reference = reference
    }

    public init(_ transport: Transport, _ path: ByteString, reference: String? = nil) {
        self.transport = transport
        self.path = path
        self.reference = reference
    }

    public var description: String {
        "\(transport.rawValue):\(transport == .docker ? "//" : "")\(path)" + (reference.map { ":\($0)" } ?? "")
    }
}
