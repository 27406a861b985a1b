import Digests
public import OCI

/// A manifest or index as a registry gave it: its bytes, and what they are.
public struct RemoteManifest: Hashable, Sendable {
    public enum Document: Hashable, Sendable {
        case manifest(Manifest)
        case index(ImageIndex)
    }

    /// Media type, the digest that was computed, and the size.
    public let descriptor: Descriptor
    public let bytes: [UInt8]
    public let document: Document

    /// - Parameters:
    ///   - declared: the type that whoever names the document gives it; it has to be what the document says of itself.
    ///   - what: for messages.
    /// - Throws: ``RegistryError/malformedDocument(name:_:)``.
    package init(_ bytes: [UInt8], declared: MediaType?, what: String) throws(RegistryError) {
        do throws(OCIError) {
            let inner = try JSONValue(parsing: bytes)["mediaType"]?.string.map { (text) throws(OCIError) in
                try MediaType(parsing: text)
            }
            guard let type = declared ?? inner, inner == nil || inner == type else {
                throw OCIError.ambiguousDocument(field: "mediaType")
            }
            if type.isIndex {
                document = .index(try ImageIndex(parsing: bytes))
            } else if type.isManifest {
                document = .manifest(try Manifest(parsing: bytes))
            } else {
                throw OCIError.invalidValue(
                    field: "mediaType", value: type.text, expected: "that of an image manifest or index")
            }
            descriptor = Descriptor(mediaType: type, of: bytes)
            self.bytes = bytes
        } catch {
            throw .malformedDocument(name: what, error)
        }
    }

    /// A document as an answer has it.
    ///
    /// - Parameters:
    ///   - type: the value of `Content-Type`, and `claimed` that of `Docker-Content-Digest`.
    ///   - reference: what was asked for.
    /// - Throws: ``RegistryError/malformedDocument(name:_:)``, ``RegistryError/digestMismatch(what:expected:actual:)``.
    package init(
        _ bytes: [UInt8], type: String?, claimed: String?, reference: String, what: String
    ) throws(RegistryError) {
        let declared = type.flatMap { try? MediaType(parsing: Self.essence(of: $0)) }
        try self.init(bytes, declared: declared.flatMap { $0.isIndex || $0.isManifest ? $0 : nil }, what: what)
        let actual = Digest(hashing: bytes)
        // The tag's digest is what was computed. One that is claimed may only agree.
        for text in [reference, claimed ?? ""] {
            if let expected = try? Digest(parsing: text), expected != actual {
                throw .digestMismatch(what: what, expected: expected, actual: actual)
            }
        }
    }

    /// The types that are understood.
    package static let acceptedTypes: [MediaType] = [.imageManifest, .imageIndex, .dockerManifest, .dockerManifestList]

    /// A media type without its parameters.
    package static func essence(of type: String) -> String {
        String(type.prefix { $0 != ";" }).split(separator: " ").first.map(String.init) ?? ""
    }

    /// Whether it is a manifest, of an image that is about nothing else.
    package var isWholeImage: Bool { if case .manifest = document { subject == nil } else { false } }

    /// What the document is about, where it is an artifact of another.
    package var subject: Descriptor? {
        switch document {
        case .manifest(let manifest): manifest.subject
        case .index(let index): index.subject
        }
    }

    /// Configurations and layers, each once.
    package static func blobs(of manifests: [RemoteManifest]) -> [Descriptor] {
        var seen: Set<DescriptorDigest> = []
        return manifests.flatMap { manifest -> [Descriptor] in
            guard case .manifest(let document) = manifest.document else { return [] }
            return [document.config] + document.layers
        }.filter { seen.insert($0.digest).inserted }
    }
}
