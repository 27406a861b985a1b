/// Some lines of a ``TreeDump``, read by themselves on whatever thread: ``TreeDumpDecoder/append(_:)`` puts them together.
public struct TreeDumpLines: Sendable {
    /// As they were given.
    public let text: [UInt8]
    /// nil where a line makes no sense.
    let read: TreeDumpDecoder?

    /// Reads `text`, which is best made of whole lines.
    public init(_ text: [UInt8]) {
        self.text = text
        var decoder = TreeDumpDecoder()
        read = text.withUnsafeBytes { text in
            do throws(TreeDumpError) {
                try decoder.decode(text)
                return decoder
            } catch {
                return nil
            }
        }
    }
}
