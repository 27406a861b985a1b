public import Bytes

/// The `#!` line of a script, read as Linux reads it (fs/binfmt_script.c).
public struct Shebang: Hashable, Sendable {
    /// The interpreter's path, byte for byte; a carriage return at its end is part of it.
    public let interpreter: ByteString
    /// All that follows the interpreter, as one argument, blanks at its ends removed.
    public let argument: ByteString?
    /// Whether the line is longer than the kernel reads, so that the argument is cut off.
    public let isTruncated: Bool

    /// Parses the first 256 bytes of a file (all, if it is shorter).
    ///
    /// - Returns: nil when they do not begin with `#!`.
    /// - Throws: ``ShebangError`` when the kernel answers ENOEXEC to the line.
    public init?(_ prefix: [UInt8]) throws(ShebangError) {
        guard prefix.starts(with: "#!".utf8) else { return nil }
        // The kernel's buffer is filled with NUL behind the end of the file, and its last byte is not looked at.
        let line = prefix.prefix(255).dropFirst(2)
        let text: ArraySlice<UInt8>
        if let end = line.firstIndex(of: UInt8(ascii: "\n")) {
            text = line[..<end]
            isTruncated = false
        } else {
            isTruncated = prefix.count > 255
            guard let start = line.firstIndex(where: { !Self.isBlank($0) }) else { throw .empty }
            // Without the blank or NUL behind it, the name itself may be cut off.
            if isTruncated, !line[start...].contains(where: Self.isTerminator) { throw .interpreterTooLong }
            text = line
        }
        let trimmed = Self.trimmed(text)
        let name = trimmed.prefix { !Self.isTerminator($0) }
        guard !name.isEmpty else { throw .empty }
        interpreter = ByteString(name)
        let rest = trimmed[name.endIndex...]
        // A NUL behind the name ends the line.
        let argument = rest.first == 0 ? [] : Self.trimmed(rest).prefix { $0 != 0 }
        self.argument = argument.isEmpty ? nil : ByteString(argument)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private static func isTerminator(_ byte: UInt8) -> Bool { isBlank(byte) || byte == 0 }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}

/// Why the kernel does not start a file that begins with `#!`.
public enum ShebangError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No interpreter is named.
    case empty
    /// The interpreter's path does not end within 255 bytes.
    case interpreterTooLong

    public var description: String {
        switch self {
        case .empty: "the '#!' line names no interpreter"
        case .interpreterTooLong: "the interpreter in the '#!' line is longer than the kernel reads (255 bytes)"
        }
    }
}
