public import Bytes
public import Digests

/// Where a blob lies below `blobs/sha256`: two hexadecimal digits of its digest, a slash, the other 62.
public enum BlobPath {
    public static func of(_ digest: Digest) -> ByteString {
        let digits = Array(digest.hexadecimal.utf8)
        return ByteString(digits[..<2]) + "/" + ByteString(digits[2...])
    }

    /// The digest whose path is `path`; nil when it is not such a path.
    public static func digest(_ path: ByteString) -> Digest? {
        guard path.count == 65, path.bytes[2] == UInt8(ascii: "/") else { return nil }
        return try? Digest(hexadecimal: path.bytes[..<2] + path.bytes[3...])
    }
}
