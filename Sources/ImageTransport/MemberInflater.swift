/// Decompresses the data of gzip members: what lies behind their headers, the checksum and size at the end included (RFC 1952).
protocol MemberInflater: AnyObject {
    /// What comes next is the data of a member.
    func begin()
    /// Decompresses of `input`, less than 1 GiB, what fits into `output`.
    ///
    /// - Returns: nil when there is nothing to do without more input.
    func inflate(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>
    ) throws(InflateFailure) -> InflateStep?
}

/// What a call of an inflater did.
struct InflateStep {
    /// Of the input.
    var consumed: Int
    /// Of the output.
    var produced: Int
    /// Whether the member is whole.
    var isEnd: Bool
}

enum InflateFailure: Error {
    case damaged(String)
    case outOfMemory
}
