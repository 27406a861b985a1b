/// Ranges of bytes in headers of responses.
enum ByteRanges {
    /// `Content-Range: bytes 0-99/1000` (RFC 9110, section 14.4): the bytes, and the size of the whole where it is told.
    static func contentRange(_ text: String) -> (range: Range<Int64>, total: Int64?)? {
        let words = text.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bytes" else { return nil }
        let parts = words[1].split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let range = inclusive(parts[0]) else { return nil }
        if parts[1] == "*" { return (range, nil) }
        guard let total = number(parts[1]), range.upperBound <= total else { return nil }
        return (range, total)
    }

    /// `Range: 0-99` of an upload (distribution-spec, Pushing a blob in chunks): how many bytes have arrived.
    ///
    /// - Returns: nil for what cannot be read, or does not begin at 0.
    static func received(_ text: String) -> Int64? {
        let plain = text.hasPrefix("bytes=") ? text.dropFirst(6) : Substring(text)
        guard let range = inclusive(plain), range.lowerBound == 0 else { return nil }
        // Registries write 0-0 both for one byte and for none; one is the smaller harm only where the blob has one.
        return range.upperBound == 1 ? 0 : range.upperBound
    }

    private static func inclusive(_ text: Substring) -> Range<Int64>? {
        let bounds = text.split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, let first = number(bounds[0]), let last = number(bounds[1]), first <= last,
            last < .max
        else { return nil }
        return first..<(last + 1)
    }

    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text)
    }
}
