import Bytes
import Tar
import TestSupport
import Testing

@Suite struct DecoderTests {
    /// A header block with a right checksum, from raw fields.
    static func block(
        _ name: String, type: Character = "0", size: String = "00000000000", magic: String = "ustar\u{0}00",
        edit: (inout [UInt8]) -> Void = { _ in }
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ offset: Int) {
            block.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
        }
        put(name, 0)
        put("0000644", 100)
        put("0000000", 108)
        put("0000000", 116)
        put(size, 124)
        put("00000000000", 136)
        block[156] = type.asciiValue ?? 0
        put(magic, 257)
        edit(&block)
        for index in 148..<156 { block[index] = 0x20 }
        let sum = block.reduce(0) { $0 + Int($1) }
        let digits = String(sum, radix: 8)
        put(String(repeating: "0", count: 6 - digits.count) + digits + "\u{0} ", 148)
        return block
    }

    static func put(_ text: String, _ block: inout [UInt8], _ offset: Int) {
        block.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
    }

    /// Writes the map of an old GNU sparse file of `size` bytes.
    static func sparse(_ parts: [(Int, Int)], _ size: Int, _ block: inout [UInt8]) {
        for (index, part) in parts.enumerated() {
            put(octal(part.0), &block, 386 + 24 * index)
            put(octal(part.1), &block, 398 + 24 * index)
        }
        put(octal(size), &block, 483)
    }

    static func octal(_ number: Int) -> String {
        let digits = String(number, radix: 8)
        return String(repeating: "0", count: 11 - digits.count) + digits
    }

    @Test("sparse files: parts, holes between and behind them, and further blocks of the map") func sparseFiles() throws
    {
        let data = [UInt8](repeating: 1, count: 512) + [UInt8](repeating: 2, count: 512)
        let plain = Self.block(
            "f", type: "S", size: "00000002000", edit: { Self.sparse([(0, 0o1000), (0o3000, 0o1000)], 0o5000, &$0) })
        let expected =
            Array(data[..<512]) + [UInt8](repeating: 0, count: 1024) + data[512...] + [UInt8](repeating: 0, count: 512)
        #expect(try readArchive(plain + data).map(\.content) == [expected])
        // The second part in a block of its own.
        var further = [UInt8](repeating: 0, count: 512)
        Self.put(Self.octal(0o3000), &further, 0)
        Self.put(Self.octal(0o1000), &further, 12)
        let extended = Self.block(
            "f", type: "S", size: "00000002000",
            edit: {
                Self.sparse([(0, 0o1000)], 0o5000, &$0)
                $0[482] = 1
            })
        for pieceSize in [1, 700, 4096] {
            #expect(try readArchive(extended + further + data, pieceSize: pieceSize).map(\.content) == [expected])
        }
        further[504] = 1
        #expect(throws: TarError.truncated(offset: 0)) { try readArchive(extended + further) }
        #expect(throws: TarError.extensionTooLarge(offset: 0)) {
            try readArchive(
                extended
                    + (0..<3000).flatMap { _ in
                        [UInt8](repeating: 0, count: 504) + [1] + [UInt8](repeating: 0, count: 7)
                    })
        }
    }

    @Test(
        "maps of sparse files in PAX records that make no sense are refused",
        arguments: [
            "22 GNU.sparse.major=2\n24 GNU.sparse.size=1000\n", "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n",
            "21 GNU.sparse.map=x\n24 GNU.sparse.size=1000\n", "23 GNU.sparse.map=0,5\n24 GNU.sparse.size=1000\n",
            "25 GNU.sparse.numbytes=5\n24 GNU.sparse.size=1000\n",
        ])
    func badSparseRecords(payload: String) {
        #expect(throws: TarError.self) { try Self.names(Self.pax(payload) + Self.block("f")) }
    }

    @Test("attributes of libarchive's form") func libarchiveAttributes() throws {
        let archive = Self.pax("34 LIBARCHIVE.xattr.user.a%3d=AQI\n") + Self.block("f")
        #expect(
            try readArchive(archive).first?.header.extendedAttributes == [
                TarHeader.Attribute(name: "user.a=", value: ByteString([1, 2]))
            ])
        #expect(throws: TarError.self) {
            try Self.names(Self.pax("32 LIBARCHIVE.xattr.user.a=A!==\n") + Self.block("f"))
        }
    }

    static func pax(_ payload: String, type: Character = "x") -> [UInt8] {
        let size = String(payload.utf8.count, radix: 8)
        let padded = String(repeating: "0", count: 11 - size.count) + size
        let fill = (512 - payload.utf8.count % 512) % 512
        return block("PaxHeaders.0/f", type: type, size: padded) + payload.utf8 + [UInt8](repeating: 0, count: fill)
    }

    static func names(_ bytes: [UInt8]) throws(TarError) -> [String] {
        try readArchive(bytes + TarEncoder.endOfArchive).map { "\($0.header.name)" }
    }

    @Test(
        "malformed records are refused",
        arguments: [
            "x", "6 a=b", "5 a=b\n", "7 a=b\n", "6 a=bx", "06 a=b", " 6 a=b\n", "4 =\n", "5 =a\n", "4 a\n\n",
            "-6 a=b\n", "0 a=b\n", "99999999999999999999 a=b\n",
            "6 a=b\n\u{0}", "11 path=a\u{0}\n", "12 size=-10\n", "10 uid=x\n", "22 uid=99999999999999\n",
            "11 mtime=\n ", "11 mtime=x\n", "14 mtime=1.2.3\n", "13 mtime=nan\n",
            "30 size=99999999999999999999\n",
        ])
    func badRecords(payload: String) {
        #expect(throws: TarError.self) { try Self.names(Self.pax(payload) + Self.block("f")) }
    }

    @Test(
        "malformed headers are refused",
        arguments: [
            block("f", size: "0000000000x"), block("f", size: "-0000000001"), block("f", type: "1"),
            block("f", type: "2"), block("f", type: "M"),
            block("f", size: "\u{7f}", edit: { $0[124] = 0xff }),
            block("f", edit: { $0.replaceSubrange(124..<136, with: [0x80] + [UInt8](repeating: 0xff, count: 11)) }),
            block("f", edit: { $0.replaceSubrange(108..<116, with: [0x80, 0, 0, 1, 0, 0, 0, 0]) }),
            block("f", edit: { $0[100] = 0x39 }),
            // Sparse maps: no data where there is some, parts out of order, a part beyond the file, a size that is none.
            block("f", type: "S", size: "00000001000", edit: { put("00000001000", &$0, 483) }),
            block("f", type: "S", size: "00000002000", edit: { sparse([(0o3000, 0o1000), (0, 0o1000)], 0o4000, &$0) }),
            block("f", type: "S", size: "00000002000", edit: { sparse([(0, 0o1000), (0o3000, 0o1000)], 0o3777, &$0) }),
            block("f", type: "S", size: "00000002000", edit: { sparse([(0, 0o1001), (0o3000, 0o1000)], 0o4000, &$0) }),
            block("f", type: "S", edit: { put("x", &$0, 483) }), block("f", type: "S", edit: { put("x", &$0, 386) }),
        ])
    func badHeaders(block: [UInt8]) {
        #expect(throws: TarError.self) { try Self.names(block) }
    }

    @Test func aWrongChecksumIsNamedWithItsPlace() {
        var bytes = Self.block("a") + Self.block("b")
        bytes[512] ^= 1
        #expect(throws: TarError.badChecksum(offset: 512)) { try Self.names(bytes) }
    }

    @Test("a PAX path wins over a GNU long name, the last of several headers counts, and each is for one member")
    func precedence() throws {
        let long =
            Self.block("././@LongLink", type: "L", size: "00000000005", magic: "ustar  \u{0}") + Array("long\u{0}".utf8)
            + [UInt8](repeating: 0, count: 507)
        #expect(try Self.names(long + Self.block("f") + Self.block("g")) == ["long", "g"])
        #expect(try Self.names(Self.pax("10 path=p\n") + long + Self.block("f")) == ["p"])
        #expect(
            try Self.names(Self.pax("10 path=p\n") + Self.pax("10 path=q\n") + Self.block("f") + Self.block("g")) == [
                "q", "g",
            ])
        #expect(try Self.names(Self.pax("10 path=p\n") + Self.pax("6 a=b\n") + Self.block("f")) == ["f"])
        #expect(
            try Self.names(
                Self.pax("10 path=p\n", type: "g") + Self.block("f") + Self.pax("8 path=\n") + Self.block("g")) == [
                    "p", "g",
                ])
    }

    @Test("a PAX size applies to the member, not to a long name between (GHSA-vmf3-w455-68vh)") func sizeAndLongName()
        throws
    {
        let long =
            Self.block("././@LongLink", type: "L", size: "00000000005", magic: "ustar  \u{0}") + Array("long\u{0}".utf8)
            + [UInt8](repeating: 0, count: 507)
        let archive =
            Self.pax("10 size=3\n") + long + Self.block("f") + [1, 2, 3] + [UInt8](repeating: 0, count: 509)
            + Self.block("g")
        #expect(try Self.names(archive) == ["long", "g"])
    }

    @Test("the size of a PAX record, not of the block, says how much content there is (CVE-2025-62518)")
    func sizePrecedence() throws {
        // By the block's size the hidden member would be read as one.
        let archive = Self.pax("12 size=512\n") + Self.block("f") + Self.block("hidden") + Self.block("g")
        #expect(try Self.names(archive) == ["f", "g"])
    }

    @Test func linksAndDirectoriesHaveNoContent() throws {
        let link = Self.block("l", type: "2", size: "00000001000", edit: { $0[157] = 0x74 })
        #expect(
            try Self.names(link + Self.block("d", type: "5", size: "00000001000") + Self.block("f")) == ["l", "d", "f"])
    }

    @Test func extendedHeadersAreBounded() {
        let huge = Self.block("x", type: "x", size: "77777777777")
        #expect(throws: TarError.extensionTooLarge(offset: 0)) { try Self.names(huge) }
        let many = (0..<5).flatMap { _ in Self.pax("300000 a=" + String(repeating: "b", count: 299_990) + "\n") }
        #expect(throws: TarError.self) { try Self.names(many + Self.block("f")) }
        let globals = (0..<5).flatMap { _ in
            Self.pax("300000 a=" + String(repeating: "b", count: 299_990) + "\n", type: "g")
        }
        #expect(throws: TarError.self) { try Self.names(globals + Self.block("f")) }
    }

    @Test func timesHaveFractionsAndSigns() throws {
        func time(_ payload: String) throws -> [Int64] {
            let header = try readArchive(Self.pax(payload) + Self.block("f")).first?.header
            return [header?.modified ?? 0, Int64(header?.nanoseconds ?? 0)]
        }
        #expect(try time("13 mtime=1.5\n") == [1, 500_000_000])
        #expect(try time("15 mtime=-1.25\n") == [-2, 750_000_000])
        #expect(try time("22 mtime=7.1234567899\n") == [7, 123_456_789])
    }

    @Test("where it is allowed the filling behind the last content may be missing, and no more", arguments: 0...1100)
    func missingFilling(count: Int) throws {
        let header = TarHeader(name: "a", kind: .file(size: 700), mode: 0o644)
        let member = ReadMember(header: header, content: [UInt8](repeating: 1, count: 700))
        let cut = Array(try writeArchive([member])[..<(512 + count)])
        // Of the blocks behind it no half is taken.
        let truncated = TarError.truncated(offset: count < 1024 ? 0 : 1536)
        if (700...1024).contains(count) {
            #expect(try readArchive(cut, lacksFilling: true) == [member])
        } else {
            #expect(throws: truncated) { try readArchive(cut, lacksFilling: true) }
        }
        if count != 1024 { #expect(throws: truncated) { try readArchive(cut) } }
    }

    @Test("an archive cut at any byte is truncated, or whole up to there") func truncation() throws {
        let bytes = try writeArchive(EncoderTests.members)
        let whole = try readArchive(bytes)
        var truncated = 0
        for count in stride(from: 0, to: bytes.count, by: 37) {
            do throws(TarError) {
                let members = try readArchive(Array(bytes[..<count]))
                #expect(members.elementsEqual(whole.prefix(members.count)))
            } catch {
                guard case .truncated = error else {
                    Issue.record("\(error)")
                    continue
                }
                truncated += 1
            }
        }
        #expect(truncated > 500)
    }

    @Test("a mutated archive never traps and what it says is bounded") func mutation() throws {
        let seed = try writeArchive(EncoderTests.members)
        var generator = SeededGenerator(seed: 2)
        var accepted = 0
        for _ in 0..<3_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                // Half of them with a checksum that is made right again, so that the fields are reached.
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = UInt8.random(in: 0...255, using: &generator)
                let start = index / 512 * 512
                if Bool.random(using: &generator), start + 512 <= bytes.count {
                    var sum = 0
                    for (offset, byte) in bytes[start..<(start + 512)].enumerated() {
                        sum += (148..<156).contains(offset) ? 32 : Int(byte)
                    }
                    let digits = String(sum, radix: 8)
                    let field = Array(
                        (String(repeating: "0", count: max(0, 6 - digits.count)) + digits + "\u{0} ").utf8)
                    bytes.replaceSubrange((start + 148)..<(start + 156), with: field)
                }
            }
            if (try? readArchive(bytes, pieceSize: Int.random(in: 1...5000, using: &generator))) != nil {
                accepted += 1
            }
        }
        #expect(accepted > 100)
    }
}
