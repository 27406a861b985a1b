public import Bytes

/// Why bytes are not a tar archive, or a header cannot be written as one.
///
/// `offset` is where in the archive, in bytes, the header begins that is at fault.
public enum TarError: Error, Hashable, CustomStringConvertible {
    /// The checksum of a header block does not match: no tar archive, or a damaged one.
    case badChecksum(offset: UInt64)
    /// A number is malformed, negative where it must not be, or too large to be represented.
    case badNumber(field: String, offset: UInt64)
    /// A PAX record breaks the form `LENGTH KEY=VALUE\n` (pax(1p), pax Extended Header).
    case badRecord(reason: String, offset: UInt64)
    /// A name or link target holds a NUL, or a target is empty.
    case badName(ByteString, offset: UInt64)
    /// Extended headers of one member, or all global ones, exceed ``TarDecoder/extensionLimit``.
    case extensionTooLarge(offset: UInt64)
    /// The archive ends inside a header, an extension or a content.
    case truncated(offset: UInt64)
    /// A form that tar has but this reader does not support: `feature` says which.
    case unsupported(feature: String, offset: UInt64)
    /// A header that tar cannot express: `reason` says why.
    case unwritable(name: ByteString, reason: String)

    public var description: String {
        switch self {
        case .badChecksum(let offset):
            "not a tar archive, or a damaged one: the checksum of the header at byte \(offset) is wrong"
        case .badNumber(let field, let offset):
            "damaged tar archive: the \(field) of the header at byte \(offset) is not a valid number"
        case .badRecord(let reason, let offset):
            "damaged tar archive: the extended header at byte \(offset) is malformed: \(reason)"
        case .badName(let name, let offset):
            "invalid tar archive: the header at byte \(offset) has a name or link target that is empty or holds a NUL: '\(name)'"
        case .extensionTooLarge(let offset):
            "refused tar archive: the extended headers at byte \(offset) exceed \(TarDecoder.extensionLimit) bytes"
        case .truncated(let offset):
            "truncated tar archive: it ends inside the member at byte \(offset)"
        case .unsupported(let feature, let offset):
            "unsupported tar archive: the member at byte \(offset) is \(feature)"
        case .unwritable(let name, let reason):
            "\(name): cannot be stored in a tar archive: \(reason)"
        }
    }
}
