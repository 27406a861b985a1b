public import Digests

/// A digest as a descriptor names it (image-spec, descriptor.md, Digests): any algorithm, though layerfs only computes
/// SHA-256.
public enum DescriptorDigest: Hashable, Sendable, CustomStringConvertible {
    case sha256(Digest)
    /// Well formed, but of an algorithm that layerfs does not compute; the whole text.
    case other(String)

    /// - Throws: ``OCIError/invalidValue(field:value:expected:)`` unless `text` has the form `algorithm:encoded`; for
    ///   sha256 and sha512 exactly 64 and 128 lower-case hexadecimal digits.
    public init(parsing text: String) throws(OCIError) {
        let invalid = OCIError.invalidValue(field: "", value: text, expected: "a digest (algorithm:encoded)")
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, Self.isAlgorithm(parts[0]), Self.isEncoded(parts[1]) else { throw invalid }
        switch String(parts[0]) {
        case "sha256":
            guard let digest = try? Digest(parsing: text) else { throw invalid }
            self = .sha256(digest)
        case "sha512":
            let isHexadecimal = parts[1].allSatisfy { ASCII.isLowercaseAlphanumeric($0) && $0 <= UInt8(ascii: "f") }
            guard parts[1].count == 128, isHexadecimal else { throw invalid }
            self = .other(text)
        default: self = .other(text)
        }
    }

    public var description: String {
        switch self {
        case .sha256(let digest): digest.description
        case .other(let text): text
        }
    }

    private static func isAlgorithm(_ text: Substring.UTF8View) -> Bool {
        let components = text.split(omittingEmptySubsequences: false) { "+._-".utf8.contains($0) }
        return components.allSatisfy { !$0.isEmpty && $0.allSatisfy(ASCII.isLowercaseAlphanumeric) }
    }

    private static func isEncoded(_ text: Substring.UTF8View) -> Bool {
        !text.isEmpty && text.allSatisfy { ASCII.isAlphanumeric($0) || "=_-".utf8.contains($0) }
    }
}
