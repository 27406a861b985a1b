public import Bytes

/// A pattern of paths, as shells have it (glob(7)), on bytes.
///
/// `*` and `?` stand for any bytes, or one, but `/`; `[a-z]` and `[!a-z]` for one byte; a component `**` for any number of
/// components, none included. A backslash takes the next byte as it is. A pattern that begins with `/` is one of the whole
/// path, any other of its last components: `*.pyc` is any such file, wherever it lies.
public struct PathGlob: Hashable, Sendable {
    /// As it was written.
    public let text: ByteString
    /// nil is `**`.
    private let components: [ComponentGlob?]
    /// The last components, of a pattern that has `**` at its start or not at all, as most have; else nil.
    private let fixed: [ComponentGlob]?
    private let isAnchored: Bool
    /// What every path ends in that the pattern is one of, as far as that is told by its last component. Most paths end otherwise than
    /// most patterns.
    let ending: [UInt8]
    /// The first byte of the last component of all such paths; nil where they differ.
    let firstByte: UInt8?

    /// - Throws: ``LayerFSError/malformedOption(name:value:expected:)`` for a pattern without components, an open bracket
    ///   that nothing closes, or a backslash at the end.
    public init(_ text: ByteString) throws(LayerFSError) {
        self.text = text
        let parts = text.split(on: UInt8(ascii: "/")).filter { !$0.isEmpty }
        var components: [ComponentGlob?] = text.bytes.first == UInt8(ascii: "/") ? [] : [nil]
        for part in parts {
            if part == "**" {
                components.append(nil)
            } else if let component = ComponentGlob(part) {
                components.append(component)
            } else {
                components = []
                break
            }
        }
        guard !parts.isEmpty, !components.isEmpty else {
            throw .malformedOption(
                name: "the pattern", value: text.description, expected: "a path with *, **, ? or [a-z] in it")
        }
        self.components = components
        let rest = components.drop { $0 == nil }
        isAnchored = rest.count == components.count
        fixed = rest.contains(nil) ? nil : rest.compactMap { $0 }
        ending = fixed?.last?.ending ?? []
        firstByte = fixed?.last?.firstByte
    }

    /// Whether the pattern is one of `path` itself.
    public func matches(_ path: TreePath) -> Bool {
        if let last = ending.last, path.bytes.bytes.last != last { return false }
        if let fixed { return matches(path, fixed) }
        return Backtracking.matches(path.components, components, isStar: { $0 == nil }) {
            $1?.matches($0.bytes[...]) ?? false
        }
    }

    private func matches(_ path: TreePath, _ fixed: [ComponentGlob]) -> Bool {
        var rest = path.bytes.bytes[...]
        for component in fixed.reversed() {
            guard let slash = rest.lastIndex(of: UInt8(ascii: "/")), slash + 1 < rest.endIndex,
                component.matches(rest[(slash + 1)...])
            else { return false }
            rest = rest[..<slash]
        }
        return rest.isEmpty || !isAnchored
    }

    /// Whether the pattern is one of `path` or of a directory that it lies in.
    public func covers(_ path: TreePath) -> Bool {
        var path = path
        while !path.isRoot {
            if matches(path) { return true }
            path = path.parent
        }
        return false
    }
}

/// A pattern of one component of a path.
private struct ComponentGlob: Hashable, Sendable {
    private enum Token: Hashable, Sendable {
        case byte(UInt8)
        case any
        case star
        /// One byte of these ranges, or of none of them.
        case set([ClosedRange<UInt8>], isNegated: Bool)
    }

    private var tokens: [Token] = []
    /// The only name that a pattern without wildcards matches; nil for any other.
    private var literal: [UInt8]? = []

    /// nil for an open bracket that nothing closes, and a backslash at the end.
    init?(_ text: ByteString) {
        var rest = text.bytes[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"): if tokens.last != .star { tokens.append(.star) }
            case UInt8(ascii: "?"): tokens.append(.any)
            case UInt8(ascii: "["):
                guard let set = Self.set(&rest) else { return nil }
                tokens.append(set)
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst() else { return nil }
                tokens.append(.byte(next))
            default: tokens.append(.byte(byte))
            }
        }
        for token in tokens {
            if case .byte(let byte) = token { literal?.append(byte) } else { literal = nil }
        }
    }

    /// What every name ends in that the pattern is one of.
    var ending: [UInt8] {
        var bytes: [UInt8] = []
        for token in tokens.reversed() {
            guard case .byte(let byte) = token else { break }
            bytes.append(byte)
        }
        return bytes.reversed()
    }

    /// The first byte of all of them; nil where they differ.
    var firstByte: UInt8? { if case .byte(let byte)? = tokens.first { byte } else { nil } }

    func matches(_ name: ArraySlice<UInt8>) -> Bool {
        if let literal { return name.count == literal.count && name.elementsEqual(literal) }
        if case .byte(let first)? = tokens.first, name.first != first { return false }
        return Backtracking.matches(Array(name), tokens, isStar: { $0 == .star }) { byte, token in
            switch token {
            case .byte(let wanted): byte == wanted
            case .any: true
            case .star: false
            case .set(let ranges, let isNegated): ranges.contains { $0.contains(byte) } != isNegated
            }
        }
    }

    /// The rest of a bracket expression. A `]` that comes first is one of its bytes.
    private static func set(_ rest: inout ArraySlice<UInt8>) -> Token? {
        let isNegated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
        if isNegated { rest.removeFirst() }
        var ranges: [ClosedRange<UInt8>] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "]"), !ranges.isEmpty { return .set(ranges, isNegated: isNegated) }
            if rest.first == UInt8(ascii: "-"), let end = rest.dropFirst().first, end != UInt8(ascii: "]") {
                rest.removeFirst(2)
                guard byte <= end else { return nil }
                ranges.append(byte...end)
            } else {
                ranges.append(byte...byte)
            }
        }
        return nil
    }
}

/// Matching with stars: only the last star met can need to take one more, so the time is at most the product of the lengths.
private enum Backtracking {
    static func matches<Item, Token>(
        _ items: [Item], _ tokens: [Token], isStar: (Token) -> Bool, one: (Item, Token) -> Bool
    ) -> Bool {
        var (item, token) = (0, 0)
        var retry: (item: Int, token: Int)?
        while item < items.count {
            if token < tokens.count, isStar(tokens[token]) {
                token += 1
                retry = (item, token)
            } else if token < tokens.count, one(items[item], tokens[token]) {
                (item, token) = (item + 1, token + 1)
            } else if let last = retry {
                retry = (last.item + 1, last.token)
                (item, token) = (last.item + 1, last.token)
            } else {
                return false
            }
        }
        return tokens[token...].allSatisfy(isStar)
    }
}

/// Which names patterns may be about, found out by a look at a byte or two: of most names none is.
struct NameMarks: Sendable {
    /// By the last byte of a name, how those end that end in it.
    private var endings = [[[UInt8]]](repeating: [], count: 256)
    /// By the first byte, of patterns that say no last one.
    private var isFirst = [Bool](repeating: false, count: 256)
    private var isAny = false

    init(_ globs: some Sequence<PathGlob>) {
        for glob in globs {
            if let last = glob.ending.last {
                endings[Int(last)].append(glob.ending)
            } else if let first = glob.firstByte {
                isFirst[Int(first)] = true
            } else {
                isAny = true
            }
        }
    }

    /// Whether one of the patterns may be one of a path with this name.
    func may(_ name: UnsafeRawBufferPointer) -> Bool {
        guard let first = name.first, let last = name.last else { return true }
        return isAny || isFirst[Int(first)]
            || endings[Int(last)].contains { ending in
                guard ending.count <= name.count else { return false }
                let end = UnsafeRawBufferPointer(rebasing: name[(name.count - ending.count)...])
                return ending.withUnsafeBytes { ByteComparison.areEqual($0, end) }
            }
    }
}
