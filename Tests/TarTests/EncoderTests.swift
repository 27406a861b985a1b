import Bytes
import Tar
import TestSupport
import Testing

@Suite struct EncoderTests {
    static let long = String(repeating: "n", count: 101)
    static let deep = (0..<12).map { "directory-\($0)" }.joined(separator: "/")
    static let deepest = (0..<60).map { "directory-\($0)" }.joined(separator: "/")

    /// Everything that needs care, one per row.
    static let members: [ReadMember] = [
        ReadMember(header: TarHeader(name: ".", kind: .directory, mode: 0o755)),
        ReadMember(
            header: TarHeader(name: "file", kind: .file(size: 5), mode: 0o4755, uid: 1, gid: 2, modified: 3),
            content: Array("hello".utf8)),
        ReadMember(
            header: TarHeader(name: "block", kind: .file(size: 512), mode: 0o644),
            content: [UInt8](repeating: 7, count: 512)),
        ReadMember(header: TarHeader(name: "empty", kind: .file(size: 0), mode: 0)),
        ReadMember(header: TarHeader(name: "dir", kind: .directory, mode: 0o1777)),
        ReadMember(header: TarHeader(name: "dir/.wh.gone", kind: .file(size: 0), mode: 0o644)),
        ReadMember(header: TarHeader(name: "link", kind: .symlink(target: "../a/./b"), mode: 0o777)),
        ReadMember(header: TarHeader(name: "hard", kind: .hardLink(target: "file"), mode: 0o644)),
        ReadMember(header: TarHeader(name: "null", kind: .characterDevice(major: 1, minor: 3), mode: 0o666)),
        ReadMember(header: TarHeader(name: "disk", kind: .blockDevice(major: 4095, minor: 1_048_575), mode: 0o660)),
        ReadMember(header: TarHeader(name: "fifo", kind: .fifo, mode: 0o600)),
        ReadMember(header: TarHeader(name: ByteString(long), kind: .file(size: 1), mode: 0o644), content: [1]),
        ReadMember(header: TarHeader(name: ByteString("\(deep)/f"), kind: .file(size: 0), mode: 0o644)),
        ReadMember(header: TarHeader(name: ByteString("\(deepest)/f"), kind: .file(size: 0), mode: 0o644)),
        ReadMember(header: TarHeader(name: ByteString("\(deepest)/d"), kind: .directory, mode: 0o755)),
        ReadMember(
            header: TarHeader(
                name: "l100", kind: .symlink(target: ByteString(String(repeating: "t", count: 100))), mode: 0o777)),
        ReadMember(
            header: TarHeader(
                name: "l101", kind: .symlink(target: ByteString(String(repeating: "t", count: 101))), mode: 0o777)),
        ReadMember(header: TarHeader(name: ByteString([0x66, 0xff, 0xfe]), kind: .file(size: 0), mode: 0o644)),
        ReadMember(
            header: TarHeader(name: ByteString([UInt8](repeating: 0xff, count: 200)), kind: .file(size: 0), mode: 0o644)
        ),
        ReadMember(header: TarHeader(name: "newline\n", kind: .file(size: 0), mode: 0o644)),
        ReadMember(header: TarHeader(name: "owner", kind: .file(size: 0), mode: 0o644, uid: 2_097_151, gid: 2_097_152)),
        ReadMember(header: TarHeader(name: "max-owner", kind: .file(size: 0), mode: 0o644, uid: .max, gid: .max)),
        ReadMember(header: TarHeader(name: "before-1970", kind: .file(size: 0), mode: 0o644, modified: -1)),
        ReadMember(header: TarHeader(name: "year-2242", kind: .file(size: 0), mode: 0o644, modified: 8_589_934_591)),
        ReadMember(header: TarHeader(name: "year-2243", kind: .file(size: 0), mode: 0o644, modified: 8_589_934_592)),
        ReadMember(
            header: TarHeader(
                name: "xattrs", kind: .file(size: 0), mode: 0o755,
                extendedAttributes: [
                    .init(name: "user.b", value: ByteString([0, 10, 61, 255])), .init(name: "user.a", value: "x"),
                ])),
    ]

    @Test("what is written is read back, in pieces of any size", arguments: [1, 7, 512, 1000, 1 << 20])
    func roundTrip(pieceSize: Int) throws {
        #expect(try readArchive(writeArchive(Self.members), pieceSize: pieceSize) == Self.members)
    }

    @Test("ustar alone is used for all it can hold") func plainHeadersAreOneBlock() throws {
        for member in Self.members {
            let needsRecords =
                [
                    Self.long, "\(Self.deepest)/f", "\(Self.deepest)/d", "l101", "owner", "max-owner", "before-1970",
                    "year-2243", "xattrs",
                ].contains { ByteString($0) == member.header.name } || member.header.name.count == 200
            #expect((try TarEncoder.encode(member.header).count > 512) == needsRecords, "\(member.header.name)")
        }
        // The size of a file of 8 GiB needs a record; one byte less does not.
        let sizes: [UInt64] = [8_589_934_591, 8_589_934_592, UInt64(Int64.max)]
        #expect(
            try sizes.map { try TarEncoder.encode(TarHeader(name: "f", kind: .file(size: $0), mode: 0)).count } == [
                512, 1536, 1536,
            ])
    }

    @Test("a header has pinned bytes") func pinnedHeader() throws {
        let block = try TarEncoder.encode(
            TarHeader(name: "usr/bin", kind: .directory, mode: 0o755, uid: 0, gid: 100, modified: 1_700_000_000))
        var expected = Array("usr/bin/".utf8) + [UInt8](repeating: 0, count: 92)
        expected += "0000755\0".utf8 + Array("0000000\0".utf8) + Array("0000144\0".utf8)
        expected += "00000000000\0".utf8 + Array("14524770400\0".utf8) + Array("010641\0 ".utf8) + Array("5".utf8)
        expected += [UInt8](repeating: 0, count: 100) + Array("ustar\0".utf8) + Array("00".utf8)
        expected += [UInt8](repeating: 0, count: 64) + Array("0000000\0".utf8) + Array("0000000\0".utf8)
        expected += [UInt8](repeating: 0, count: 167)
        #expect(block == expected)
    }

    @Test("records of an extended header are sorted and have pinned bytes") func pinnedRecords() throws {
        let blocks = try TarEncoder.encode(
            TarHeader(
                name: ByteString("d/" + Self.long), kind: .file(size: 0), mode: 0o644, uid: 3_000_000, modified: -5,
                extendedAttributes: [.init(name: "user.z", value: "1"), .init(name: "security.capability", value: "2")])
        )
        #expect(blocks.count == 1536)
        #expect(Array(blocks[..<100]) == Array("PaxHeaders.0/\(String(repeating: "n", count: 87))".utf8))
        let payload = """
            38 SCHILY.xattr.security.capability=2
            25 SCHILY.xattr.user.z=1
            12 mtime=-5
            113 path=d/\(Self.long)
            15 uid=3000000

            """
        #expect(Array(blocks[512..<(512 + payload.utf8.count)]) == Array(payload.utf8))
    }

    @Test(
        "what tar cannot express is refused",
        arguments: [
            TarHeader(name: "", kind: .fifo, mode: 0), TarHeader(name: "/a", kind: .fifo, mode: 0),
            TarHeader(name: "a/", kind: .directory, mode: 0),
            TarHeader(name: ByteString([97, 0]), kind: .fifo, mode: 0),
            TarHeader(name: "a", kind: .symlink(target: ""), mode: 0),
            TarHeader(name: "a", kind: .hardLink(target: ByteString([0])), mode: 0),
            TarHeader(name: "a", kind: .characterDevice(major: 2_097_152, minor: 0), mode: 0),
            TarHeader(name: "a", kind: .other(typeflag: 0x39, size: 0), mode: 0),
            TarHeader(name: "a", kind: .fifo, mode: 0, extendedAttributes: [.init(name: "user.a=b", value: "")]),
            TarHeader(
                name: "a", kind: .fifo, mode: 0,
                extendedAttributes: [.init(name: "a", value: ""), .init(name: "a", value: "")]),
            TarHeader(name: ByteString([UInt8](repeating: 97, count: 1 << 20)), kind: .fifo, mode: 0),
        ])
    func unwritable(header: TarHeader) {
        #expect(throws: TarError.self) { try TarEncoder.encode(header) }
    }
}
