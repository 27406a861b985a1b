import Bytes

/// The name of a layer or an image in a store: `bash`, `team/shell`, `shell:1.2`.
///
/// One to eight components separated by `/`, of letters, digits, `.`, `_` and `-`, that begin with a letter, digit or
/// `_`; then perhaps `:` and a tag of the same characters. What OCI allows as a reference fits, apart from digests; `+`
/// never does, since it stacks layers in an expression.
public struct Name: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    /// - Throws: ``NameError`` saying which rule `text` breaks.
    public init(_ text: String) throws(NameError) {
        guard !text.isEmpty else { throw .empty }
        guard text.utf8.count <= 128 else { throw .tooLong(text) }
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2 else { throw .malformed(text) }
        let tag = parts.count == 2 ? [parts.removeLast()] : []
        let components = parts[0].split(separator: "/", omittingEmptySubsequences: false)
        guard components.count <= 8, (components + tag).allSatisfy(Self.isComponent) else { throw .malformed(text) }
        self.text = text
    }

    public static func < (left: Name, right: Name) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    public var description: String { text }

    private static func isComponent(_ part: Substring) -> Bool {
        guard let first = part.utf8.first, isWord(first) else { return false }
        return part.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// Why a text is not a ``Name`` or an ``RootExpression``.
public enum NameError: Error, Hashable, CustomStringConvertible {
    case empty
    case tooLong(String)
    case malformed(String)
    /// The part of an expression before, between or after `+` is empty.
    case emptyTerm(String)

    public var description: String {
        switch self {
        case .empty: "a name is empty"
        case .tooLong(let text): "the name is longer than 128 bytes: \(ByteString(String(text.prefix(40))))…"
        case .malformed(let text):
            "'\(ByteString(text))' is not a name: use letters, digits, '.', '_', '-', with '/' between parts and ':' before a tag"
        case .emptyTerm(let text):
            "'\(ByteString(text))' is not an expression: write names with '+' between them, such as bash+ls"
        }
    }
}

/// A composition as a person writes it: names with `+` between them, the lowest layer first.
public struct RootExpression: Hashable, Sendable, CustomStringConvertible {
    /// Never empty.
    public let names: [Name]

    /// - Throws: ``NameError`` for an empty part or a malformed name.
    public init(_ text: String) throws(NameError) {
        guard !text.isEmpty else { throw .empty }
        var names: [Name] = []
        for part in text.split(separator: "+", omittingEmptySubsequences: false) {
            guard !part.isEmpty else { throw .emptyTerm(text) }
            names.append(try Name(String(part)))
        }
        self.names = names
    }

    public init(_ name: Name) { names = [name] }

    /// The name, when the expression is just one.
    public var singleName: Name? { names.count == 1 ? names[0] : nil }

    public var description: String { names.map(\.text).joined(separator: "+") }
}
