/// The file `oci-layout` of an image layout (image-spec, image-layout.md).
public struct ImageLayoutHeader: Hashable, Sendable {
    public var imageLayoutVersion: String

    public init() { imageLayoutVersion = "1.0.0" }

    /// - Throws: ``OCIError``; also for a version other than 1.0.0, the only one there is.
    public init(parsing bytes: [UInt8]) throws(OCIError) {
        let version = try JSONField(JSONValue(parsing: bytes)).required("imageLayoutVersion")
        imageLayoutVersion = try version.string()
        guard imageLayoutVersion == "1.0.0" else { throw version.invalid("1.0.0") }
    }

    public var canonicalBytes: [UInt8] {
        JSONValue.object(["imageLayoutVersion": .string(imageLayoutVersion)]).canonicalBytes
    }
}
