public import Bytes

/// The program that `env ARGUMENT`, as a `#!` line starts it, starts in turn: env(1), coreutils.
public struct EnvCommand: Hashable, Sendable {
    /// What env looks up in PATH; nil when it starts nothing.
    public let command: ByteString?

    /// - Parameter argument: all that follows env's path in the `#!` line. The kernel passes it as one word; env splits
    ///   it
    ///   only when it begins with `-S` or `--split-string`.
    public init(argument: ByteString) {
        var words: [ByteString]
        if let text = Self.splitString(argument) {
            words = Self.split(text)
        } else {
            words = [argument]
        }
        words.reverse()
        while let word = words.popLast() {
            switch word {
            case "-u", "--unset", "-C", "--chdir":
                _ = words.popLast()
            case "--":
                command = words.last { !$0.contains(UInt8(ascii: "=")) }
                return
            default:
                if word.bytes.first == UInt8(ascii: "-") || word.contains(UInt8(ascii: "=")) { continue }
                command = word
                return
            }
        }
        command = nil
    }

    /// What follows `-S`, alone or at the end of other one-letter options such as `-vS`.
    private static func splitString(_ argument: ByteString) -> ByteString? {
        let long = ByteString("--split-string")
        if argument.hasPrefix(long) { return ByteString(argument.bytes.dropFirst(long.count + 1)) }
        let bytes = argument.bytes
        guard bytes.count > 1, bytes[0] == UInt8(ascii: "-"),
            let s = bytes.firstIndex(of: UInt8(ascii: "S")),
            bytes[1..<s].allSatisfy({ $0 == UInt8(ascii: "v") || $0 == UInt8(ascii: "i") || $0 == UInt8(ascii: "0") })
        else { return nil }
        return ByteString(bytes[(s + 1)...])
    }

    /// The words of env's little language: blanks separate, quotes group, `\` escapes, `#` at a word's start ends.
    private static func split(_ text: ByteString) -> [ByteString] {
        var words: [ByteString] = []
        var word: [UInt8]?
        var quote: UInt8?
        var iterator = text.bytes.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "\\") where quote != UInt8(ascii: "'"):
                guard let next = iterator.next() else { break }
                if next == UInt8(ascii: "c") { return words + [word].compactMap { $0.map { ByteString($0) } } }
                if next == UInt8(ascii: "_"), quote == nil {
                    if let done = word { words.append(ByteString(done)) }
                    word = nil
                } else {
                    word = (word ?? []) + [next == UInt8(ascii: "_") ? UInt8(ascii: " ") : next]
                }
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                if quote == byte { quote = nil } else if quote == nil { quote = byte } else { word?.append(byte) }
                word = word ?? []
            case 0x09...0x0d where quote == nil, UInt8(ascii: " ") where quote == nil:
                if let done = word { words.append(ByteString(done)) }
                word = nil
            case UInt8(ascii: "#") where quote == nil && word == nil:
                return words
            default:
                word = (word ?? []) + [byte]
            }
        }
        if let word { words.append(ByteString(word)) }
        return words
    }
}
