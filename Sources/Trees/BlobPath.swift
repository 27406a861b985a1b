public import Bytes
public import Digests

/// Where a blob lies below `blobs/sha256`: two hexadecimal digits of its digest, a slash, the other 62.
public enum BlobPath {
    public static func of(_ digest: Digest) -> ByteString {
        ByteString(
            [UInt8](unsafeUninitializedCapacity: 65) { buffer, count in
                write(digest, to: buffer.baseAddress!)
                count = 65
            })
    }

    /// Calls `body` with the path of the content `digest` as a C string, which is valid only meanwhile.
    package static func withCString<Result>(of digest: Digest, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 66) { path in
            write(digest, to: path.baseAddress!)
            path[65] = 0
            return path.withMemoryRebound(to: CChar.self) { body(UnsafePointer($0.baseAddress!)) }
        }
    }

    /// Appends the path of the content `digest` to `output`.
    static func append(_ digest: Digest, to output: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 65) { path in
            write(digest, to: path.baseAddress!)
            output.append(contentsOf: path)
        }
    }

    /// Writes the 65 bytes of the path to `output`, which has room for them.
    static func write(_ digest: Digest, to output: UnsafeMutablePointer<UInt8>) {
        digest.writeHexadecimal(to: output + 1)
        (output[0], output[1]) = (output[1], output[2])
        output[2] = UInt8(ascii: "/")
    }

    /// The digest whose path is `path`; nil when it is not such a path.
    public static func digest(_ path: ByteString) -> Digest? {
        path.bytes.withUnsafeBufferPointer { digest($0) }
    }

    static func digest(_ path: UnsafeBufferPointer<UInt8>) -> Digest? {
        guard path.count == 65, path[2] == UInt8(ascii: "/") else { return nil }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { digits in
            (digits[0], digits[1]) = (path[0], path[1])
            UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(digits)[2...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(path)[3...]))
            return Digest(hexadecimalDigits: UnsafeBufferPointer(digits))
        }
    }
}
