/// Why bytes are not the OCI document, or text not the value, that they should be.
///
/// `field` is the place in the document, as `layers[2].digest`; empty for the document itself.
public enum OCIError: Error, Hashable, CustomStringConvertible {
    case documentTooLarge(size: Int)
    case malformedJSON(offset: Int, reason: String)
    case missingField(String)
    case wrongType(field: String, expected: String)
    case invalidValue(field: String, value: String, expected: String)
    /// The document is of two kinds at once, or of another than was asked for (CVE-2021-41190).
    case ambiguousDocument(field: String)
    /// A digest is well formed, but of an algorithm that layerfs does not compute.
    case unsupportedDigest(String)

    public var description: String {
        switch self {
        case .documentTooLarge(let size):
            "the document is too large: \(size) bytes of at most \(JSONValue.sizeLimit)"
        case .malformedJSON(let offset, let reason): "not valid JSON at byte \(offset): \(reason)"
        case .missingField(let field): "the field '\(field)' is missing"
        case .wrongType(let field, let expected): "the field '\(field)' is not \(expected)"
        case .invalidValue(let field, let value, let expected):
            "\(field.isEmpty ? "" : "the field '\(field)' ")has the value '\(Self.shown(value))', which is not \(expected)"
        case .ambiguousDocument(let field):
            "the document has the field '\(field)' of another kind of document, so that its meaning is ambiguous"
        case .unsupportedDigest(let digest):
            "the digest '\(Self.shown(digest))' is of an algorithm that is not supported; sha256 is"
        }
    }

    /// Values come from outside: short, and without characters that could move a terminal's cursor.
    private static func shown(_ value: String) -> String {
        let visible = value.unicodeScalars.prefix(120).map { scalar in
            scalar.properties.generalCategory == .control ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
        return visible.joined() + (value.unicodeScalars.count > 120 ? "…" : "")
    }
}
