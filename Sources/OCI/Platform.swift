/// What an image runs on, in the terms of Go's GOOS and GOARCH (image-spec, image-index.md, platform).
public struct Platform: Hashable, Sendable, CustomStringConvertible {
    public var os: String
    public var architecture: String
    /// Of the processor: `v8` of arm64, `v7` of arm.
    public var variant: String?
    public var osVersion: String?
    public var osFeatures: [String]

    public init(os: String = "linux", architecture: String, variant: String? = nil) {
        self.os = os
        self.architecture = architecture
        self.variant = variant
        osFeatures = []
    }

    /// `os/architecture` or `os/architecture/variant`: `linux/arm64/v8`.
    ///
    /// - Throws: ``OCIError/invalidValue(field:value:expected:)``.
    public init(parsing text: String) throws(OCIError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let areNames = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { ASCII.isLowercaseAlphanumeric($0) || "._-".utf8.contains($0) }
        }
        guard (2...3).contains(parts.count), areNames else {
            throw .invalidValue(field: "", value: text, expected: "a platform, as linux/amd64 or linux/arm64/v8")
        }
        self.init(
            os: String(parts[0]), architecture: String(parts[1]), variant: parts.count == 3 ? String(parts[2]) : nil)
    }

    init(_ field: JSONField) throws(OCIError) {
        os = try field.required("os").string()
        architecture = try field.required("architecture").string()
        variant = try field.optional("variant")?.string()
        osVersion = try field.optional("os.version")?.string()
        osFeatures = try field.optional("os.features")?.strings() ?? []
    }

    var json: JSONValue {
        .object([
            "os": .string(os), "architecture": .string(architecture), "variant": variant.map { .string($0) },
            "os.version": osVersion.map { .string($0) },
            "os.features": osFeatures.isEmpty ? nil : .strings(osFeatures),
        ])
    }

    /// Whether an image for `other` is one for this platform: a variant counts only where this names one.
    public func accepts(_ other: Platform) -> Bool {
        os == other.os && architecture == other.architecture && (variant == nil || variant == other.variant)
    }

    public var description: String { [os, architecture, variant].compactMap { $0 }.joined(separator: "/") }
}
