import Bytes
import Foundation
import OCI

/// Reads the values that a person gives for an image's configuration.
public enum ImageOptionValue {
    /// A command: a JSON array of strings, or words separated by spaces.
    public static func words(_ text: String, option: String) throws(LayerFSError) -> [String] {
        guard text.hasPrefix("[") else {
            // Splitting at spaces what a shell would keep together would make another command of it.
            guard !text.contains(where: { "'\"\\".contains($0) }) else {
                throw .malformedOption(
                    name: option, value: text,
                    expected: #"words without quotes, or a JSON array such as ["sh","-c","ls /"]"#)
            }
            return text.split(separator: " ").map(String.init)
        }
        guard let words = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
            throw .malformedOption(name: option, value: text, expected: "a JSON array of strings, or words")
        }
        return words
    }

    /// `NAME=value`; the name is not empty.
    public static func assignment(
        _ text: String, option: String
    ) throws(LayerFSError) -> (name: String, value: String, text: String) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex, !text.utf8.contains(0) else {
            throw .malformedOption(name: option, value: text, expected: "NAME=value")
        }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]), text)
    }

    public static func absolutePath(_ text: String, option: String) throws(LayerFSError) -> String {
        guard (try? TreePath(ByteString(text))) != nil else {
            throw .malformedOption(name: option, value: text, expected: "an absolute path without '..'")
        }
        return text
    }

    /// `user`, `uid`, `user:group` or `uid:gid`.
    public static func user(_ text: String, option: String) throws(LayerFSError) -> String {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && !$0.contains(where: \.isWhitespace) })
        else { throw .malformedOption(name: option, value: text, expected: "user or user:group, names or numbers") }
        return text
    }

    /// `port`, `port/tcp` or `port/udp`, 1 to 65535; a port alone becomes `port/tcp`.
    public static func port(_ text: String, option: String) throws(LayerFSError) -> String {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let port = UInt16(parts[0]), port > 0,
            parts.count == 1 || ["tcp", "udp", "sctp"].contains(parts[1])
        else { throw .malformedOption(name: option, value: text, expected: "a port from 1 to 65535, as 80 or 53/udp") }
        return "\(port)/\(parts.count == 2 ? parts[1] : "tcp")"
    }

    /// `SIGTERM`, `TERM` or a number.
    public static func signal(_ text: String, option: String) throws(LayerFSError) -> String {
        let upper = text.uppercased()
        let isNumber = UInt8(text).map { (1...64).contains($0) } ?? false
        let isName = upper.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "+" || $0 == "-") }
        guard isNumber || (isName && upper.first?.isLetter == true) else {
            throw .malformedOption(name: option, value: text, expected: "a signal, as SIGTERM or 15")
        }
        return isNumber || upper.hasPrefix("SIG") ? upper : "SIG" + upper
    }

    /// `os/architecture` or `os/architecture/variant`.
    public static func platform(_ text: String, option: String) throws(LayerFSError) -> String {
        guard let platform = try? Platform(parsing: text) else {
            throw .malformedOption(name: option, value: text, expected: "os/architecture, as linux/arm64")
        }
        return platform.description
    }
}
