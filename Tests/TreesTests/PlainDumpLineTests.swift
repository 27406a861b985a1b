import Bytes
import Digests
import Testing

@testable import Trees

/// Lines that are read and written in a shorter way must be what the longer way makes of them.
struct PlainDumpLineTests {
    private static let digest = Digest(hashing: [7])
    private static let payload = String(decoding: BlobPath.of(digest).bytes, as: UTF8.self)

    static let plain = [
        "/ 0 40755 2 0 0 0 0.0 - - -",
        "/a/.../b.c 0 41777 12 1 2 0 1700000000.999999999 - - -",
        "/usr/lib/x-1_2~+%.so 123456789012345678 104755 1 4294967295 0 0 -5.4 \(payload) - -",
        "/empty 0 100000 1 0 0 0 0.0 - - -",
        "/bin 7 120777 1 0 0 0 1.0 usr/bin - -",
    ]

    static let other = [
        "", "/", "/a", "/a ", "a 0 40755 2 0 0 0 0.0 - - -", "// 0 40755 2 0 0 0 0.0 - - -",
        "/. 0 40755 2 0 0 0 0.0 - - -",
        "/a/.. 0 40755 2 0 0 0 0.0 - - -", "/a/ 0 40755 2 0 0 0 0.0 - - -", "/a//b 0 40755 2 0 0 0 0.0 - - -",
        "/a 00 40755 2 0 0 0 0.0 - - -", "/a 0 040755 2 0 0 0 0.0 - - -", "/a 0 40755 1 0 0 0 0.0 - - -",
        "/a 0 40785 2 0 0 0 0.0 - - -", "/a 0 40755 2 4294967296 0 0 0.0 - - -", "/a 0 40755 2 0 0 1 0.0 - - -",
        "/a 0 40755 2 0 0 0 -0.0 - - -", "/a 0 40755 2 0 0 0 0.1000000000 - - -", "/a 0 40755 2 0 0 0 00.0 - - -",
        "/a 0 40755 2 0 0 0 0. - - -", "/a 0 40755 2 0 0 0 0 - - -", "/a 0 40755 2 0 0 0 0.0 x - -",
        "/a 0 40755 2 0 0 0 0.0 - x -", "/a 0 40755 2 0 0 0 0.0 - - - ", "/a 0 40755 2 0 0 0 0.0 - - - user.a=b",
        "/a 0 100644 2 0 0 0 0.0 - - -", "/a 1 100644 1 0 0 0 0.0 - - -", "/a 0 100644 1 0 0 0 0.0 \(payload) - -",
        "/a 9 100644 1 0 0 0 0.0 \(payload.uppercased()) - -", "/a 9 100644 1 0 0 0 0.0 \(payload)0 - -",
        "/a 1 120777 1 0 0 0 0.0 - - -", "/a 2 120777 1 0 0 0 0.0 x - -", "/a 1 120777 1 0 0 0 0.0 \\x2d - -",
        "/a\\x20b 0 40755 2 0 0 0 0.0 - - -", "/a=b 0 40755 2 0 0 0 0.0 - - -", "/\u{7f} 0 40755 2 0 0 0 0.0 - - -",
        "/é 0 40755 2 0 0 0 0.0 - - -", "/a 9999999999999999999 100644 1 0 0 0 0.0 \(payload) - -",
        "/a 0 10644 1 0 0 0 0.0 - - -", "/a 0 20000 1 0 0 0 0.0 - - -", "/a 0 20666 1 0 0 259 0.0 - - -",
    ]

    /// What the shorter way makes of `line`; nil when it leaves it to the longer one.
    private func read(_ line: [UInt8]) -> (entry: Entry, subdirectories: Int)? {
        line.withUnsafeBufferPointer { line in
            PlainDumpLine(line).map { plain in
                var packed = PackedEntries()
                packed.append(plain)
                return (packed.entry(0), plain.subdirectories)
            }
        }
    }

    /// Checks that a line that is taken is canonical, and says what the longer way reads in it.
    private func check(_ line: [UInt8]) throws {
        guard let (entry, subdirectories) = read(line) else { return }
        let whole = try #require(line.withUnsafeBufferPointer { DumpLine.parse($0) })
        #expect(entry == whole.entry)
        var written: [UInt8] = []
        DumpLine(entry, subdirectories: subdirectories).write(to: &written)
        #expect(written == line + [UInt8(ascii: "\n")])
    }

    @Test(arguments: plain) func plainLinesAreTaken(_ line: String) throws {
        #expect(read(Array(line.utf8)) != nil)
        try check(Array(line.utf8))
    }

    @Test(arguments: other) func othersAreLeft(_ line: String) {
        #expect(read(Array(line.utf8)) == nil)
    }

    @Test(arguments: plain) func whatIsTakenOfDamagedLinesIsCanonical(_ line: String) throws {
        let original = Array(line.utf8)
        for position in original.indices {
            for byte in UInt8.min ... .max {
                var damaged = original
                damaged[position] = byte
                try check(damaged)
            }
            try check(Array(original[..<position]))
            try check(Array(original[..<position]) + original[(position + 1)...])
        }
    }

    @Test func entriesAreWrittenAsOneByOne() throws {
        let attribute = ExtendedAttribute(name: "user.a", value: "b")
        let kinds: [Entry.Kind] = [
            .directory, .file(digest: .empty, size: 0), .file(digest: Self.digest, size: .max), .symlink(target: "-"),
            .symlink(target: "a b\\"), .symlink(target: "usr/bin"), .fifo, .whiteout,
            .characterDevice(major: 1, minor: 3), .blockDevice(major: .max, minor: .max),
        ]
        var entries = [Entry(path: .root, metadata: Metadata(mode: 0o755), kind: .directory)]
        for (number, kind) in kinds.enumerated() {
            for (name, attributes) in [("plain", []), ("e s=c", []), ("with", [attribute])] {
                let metadata = Metadata(
                    mode: UInt16(number * 511), uid: UInt32(number), gid: .max,
                    modified: Timestamp(seconds: Int64(number) - 4, nanoseconds: UInt32(number)),
                    extendedAttributes: attributes)
                entries.append(
                    Entry(path: try TreePath(ByteString("/\(name) \(number)")), metadata: metadata, kind: kind))
            }
        }
        let tree = try Tree(entries)
        var expected: [UInt8] = []
        for (entry, count) in zip(tree.entries, tree.entries.subdirectoryCounts) {
            DumpLine(entry, subdirectories: Int(count)).write(to: &expected)
        }
        let dump = TreeDump.encode(tree)
        #expect(dump == expected)
        #expect(try TreeDump.decode(dump) == tree)
        // Each by itself, with another time.
        var (lines, apart): ([UInt8], [UInt8]) = ([], [])
        TreeDump.encode(eachOf: tree.entries.dropFirst(), time: { Timestamp(seconds: $0.seconds - 1) }) {
            lines.append(contentsOf: $0)
        }
        for var entry in tree.entries.dropFirst() {
            entry.metadata.modified = Timestamp(seconds: entry.metadata.modified.seconds - 1)
            TreeDump.append(entry, to: &apart)
        }
        #expect(lines == apart)
    }

    @Test func linesMayBeCutAnywhere() throws {
        let text =
            Self.plain[0] + "\n" + "/bin 7 120777 1 0 0 0 1.0 usr/bin - -\n" + "/x\\x20y 0 100644 1 0 0 0 0.0 - - -\n"
        let bytes = Array(text.utf8)
        let tree = try TreeDump.decode(bytes)
        #expect(tree.entries.map(\.path.description) == ["/", "/bin", "/x y"])
        for cut in bytes.indices {
            var decoder = TreeDumpDecoder()
            for piece in [bytes[..<cut], bytes[cut...]] { try piece.withUnsafeBytes { try decoder.decode($0) } }
            #expect(try decoder.finish() == tree)
            var other = TreeDumpDecoder()
            for piece in [bytes[..<cut], bytes[cut...]] { try other.append(TreeDumpLines(Array(piece))) }
            #expect(try other.finish() == tree)
        }
    }
}
