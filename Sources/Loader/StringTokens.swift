import Bytes

/// The values of `$ORIGIN`, `$LIB` and `$PLATFORM` for one object; ld.so(8), "Dynamic string tokens".
struct StringTokens {
    /// The directory of the object, without a final slash except for the root.
    var origin: ByteString
    var library: ByteString?
    var platform: ByteString?
    /// The directories that `$ORIGIN` of a setuid program must end in, with their final slashes; nil for other
    /// programs.
    var trustedDirectories: [ByteString]?

    /// `text` with its tokens replaced; nil when a token has no value here, which makes glibc drop the whole text.
    func expand(_ text: ByteString) -> ByteString? {
        guard text.contains(UInt8(ascii: "$")) else { return text }
        let bytes = text.bytes
        var result: [UInt8] = []
        var usedOrigin = false
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "$"), let (token, length) = Self.token(in: bytes[(index + 1)...]) else {
                result.append(bytes[index])
                index += 1
                continue
            }
            switch token {
            case .origin:
                if trustedDirectories != nil {
                    // Only as the first component (glibc's _dl_dst_substitute).
                    let end = index + 1 + length
                    guard index == 0, end == bytes.count || bytes[end] == UInt8(ascii: "/") else { return nil }
                    usedOrigin = true
                }
                result += origin.bytes
            case .library:
                guard let library else { return nil }
                result += library.bytes
            case .platform:
                guard let platform else { return nil }
                result += platform.bytes
            }
            index += 1 + length
        }
        if usedOrigin, let trustedDirectories {
            let normal = Self.normalized(result)
            guard trustedDirectories.contains(where: { normal.starts(with: $0.bytes) }) else { return nil }
        }
        return ByteString(result)
    }

    /// Whether `text` has a token.
    static func contains(_ text: ByteString) -> Bool {
        text.bytes.indices.contains { index in
            text.bytes[index] == UInt8(ascii: "$") && token(in: text.bytes[(index + 1)...]) != nil
        }
    }

    private enum Token: CaseIterable {
        case origin, library, platform

        var name: [UInt8] {
            switch self {
            case .origin: Array("ORIGIN".utf8)
            case .library: Array("LIB".utf8)
            case .platform: Array("PLATFORM".utf8)
            }
        }
    }

    /// The token at the start of what follows a `$`, with or without braces, and its length.
    private static func token(in rest: ArraySlice<UInt8>) -> (Token, length: Int)? {
        for token in Token.allCases {
            if rest.starts(with: [UInt8(ascii: "{")] + token.name + [UInt8(ascii: "}")]) {
                return (token, token.name.count + 2)
            }
            // $LIBX is no token.
            if rest.starts(with: token.name), !isNameByte(rest.dropFirst(token.name.count).first) {
                return (token, token.name.count)
            }
        }
        return nil
    }

    private static func isNameByte(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return byte == UInt8(ascii: "_") || UnicodeScalar(byte).properties.isAlphabetic && byte < 0x80
            || (0x30...0x39).contains(byte)
    }

    /// `path` with `.` and `..` removed by their text, and a final slash.
    private static func normalized(_ path: [UInt8]) -> [UInt8] {
        var components: [ArraySlice<UInt8>] = []
        for component in path.split(separator: UInt8(ascii: "/")) {
            if component.elementsEqual("..".utf8) {
                _ = components.popLast()
            } else if !component.elementsEqual(".".utf8) {
                components.append(component)
            }
        }
        return components.reduce(into: [UInt8(ascii: "/")]) { $0 += $1 + [UInt8(ascii: "/")] }
    }
}
