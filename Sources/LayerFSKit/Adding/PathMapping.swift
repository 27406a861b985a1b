public import Bytes

/// A file or directory of this machine, and where in the layer it goes: `SRC[:DST]`.
public struct PathMapping: Hashable, Sendable {
    /// As it was written.
    public let text: ByteString
    /// On this machine; relative to the current directory unless absolute.
    public let source: ByteString
    /// In the layer; nil where the file lies there as it does here.
    public let destination: TreePath?
    /// Whether ``destination`` ends in a slash: a file then keeps its name in that directory, as cp(1) has it.
    public let isIntoDirectory: Bool

    /// What follows the last `:/` is the destination, so that a source may hold colons, though not `:/`.
    ///
    /// - Throws: ``LayerFSError/malformedOption(name:value:expected:)`` for an empty source, or a destination with `..`.
    public init(_ text: ByteString) throws(LayerFSError) {
        self.text = text
        let bytes = text.bytes
        let colon = bytes.indices.last { index in
            bytes[index] == UInt8(ascii: ":") && index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "/")
        }
        source = ByteString(bytes[..<(colon ?? bytes.count)])
        let target = colon.map { ByteString(bytes[($0 + 1)...]) }
        isIntoDirectory = target?.hasSuffix("/") ?? false
        do {
            destination = try target.map { bytes throws(TreePathError) in try TreePath(bytes) }
        } catch {
            throw .malformedOption(
                name: "the destination of", value: text.description, expected: "an absolute path without '..'")
        }
        guard !source.isEmpty, !source.contains(0) else {
            throw .malformedOption(name: "the source of", value: text.description, expected: "SRC or SRC:/DST")
        }
    }

    /// The mappings of a list, one a line; empty lines are passed over.
    public static func list(_ bytes: [UInt8]) throws(LayerFSError) -> [PathMapping] {
        var mappings: [PathMapping] = []
        for line in ByteString(bytes).split(on: UInt8(ascii: "\n")) where !line.isEmpty {
            mappings.append(try PathMapping(line))
        }
        return mappings
    }
}
