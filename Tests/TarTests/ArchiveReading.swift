import Tar

/// A member and its content, as the tests compare them.
struct ReadMember: Equatable {
    var header: TarHeader
    var content: [UInt8] = []
    /// Bytes of holes that are too large to be laid out in ``content``.
    var omitted: UInt64 = 0
}

/// The members of an archive that comes in pieces of `pieceSize` bytes.
func readArchive(_ bytes: [UInt8], pieceSize: Int = 4096, lacksFilling: Bool = false) throws(TarError) -> [ReadMember] {
    var decoder = TarDecoder()
    var members: [ReadMember] = []
    var start = 0
    while start < bytes.count {
        let piece = bytes[start..<min(bytes.count, start + pieceSize)]
        start += piece.count
        // Typed throws do not pass through withUnsafeBytes.
        let outcome = piece.withUnsafeBytes { buffer in
            Result { () throws(TarError) in
                var rest = buffer
                while let event = try decoder.next(&rest) {
                    switch event {
                    case .member(let header): members.append(ReadMember(header: header))
                    case .content(let piece): members[members.count - 1].content.append(contentsOf: piece)
                    case .hole(let count) where count <= 1 << 20:
                        members[members.count - 1].content.append(contentsOf: repeatElement(0, count: Int(count)))
                    case .hole(let count): members[members.count - 1].omitted += count
                    }
                }
            }
        }
        try outcome.get()
    }
    try decoder.finish(lacksFilling: lacksFilling)
    return members
}

/// An archive of `members`, as the encoder writes it.
func writeArchive(_ members: [ReadMember]) throws(TarError) -> [UInt8] {
    var bytes: [UInt8] = []
    for member in members {
        bytes += try TarEncoder.encode(member.header)
        bytes += member.content
        bytes.append(contentsOf: repeatElement(0, count: TarEncoder.padding(after: UInt64(member.content.count))))
    }
    return bytes + TarEncoder.endOfArchive
}
