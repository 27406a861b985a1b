import Bytes
import Tar
import TestSupport
import Testing

/// Archives that others collected: Go's archive/tar tests, tar-split's, and a fuzzer's.
@Suite struct CorpusTests {
    /// A device that declares content, and the end of the file: for Go and Python a device has none.
    static let cutBehindDevice = "e1ee069c63740fc68509dea9dc28271a3ed55483-2"

    /// GNU tar lists these: one is compressed, three end inside a header, which GNU tar passes over, and in one a device
    /// declares content, which GNU tar skips and Go takes for members.
    static let refused: Set = [
        "15.tar", "1888b06f2c264f089e566fa0214843896cfa2129-2", "87bdcf70c13f47e2a2861cd7b1f9e22c56b121f9-2",
        "ffa84361054fdbbcfae42e29284d1444c8b8e5ad-6", "7827e10ed47860b7ba74709e4deaba16425f5e99-2",
    ]

    @Test(
        "Go's archives are accepted and rejected as Go does",
        .enabled(if: Corpus.isPresent("go-tar"), "the corpus is not there"))
    func goArchives() throws {
        var checked = 0
        for row in Corpus.rows("go-tar", "EXPECTED.tsv") where !row[0].hasSuffix(".bz2") {
            let outcome = Result { try readArchive(Corpus.file("go-tar", row[0])) }
            checked += 1
            let isAccepted = if case .success = outcome { true } else { false }
            #expect(isAccepted == ["accept", "limit"].contains(row[1]), "\(row[0]): \(row[2]): \(outcome)")
        }
        #expect(checked == 40)
    }

    @Test(
        "details that readers get wrong", .enabled(if: Corpus.isPresent("go-tar"), "the corpus is not there"),
        arguments: [
            ("gnu-long-nul.tar", ["0123456789"]), ("pax-multi-hdrs.tar", ["bar -> PAX4/PAX4/long-linkpath-name"]),
            ("gnu-multi-hdrs.tar", ["GNU2/GNU2/long-path-name -> GNU4/GNU4/long-linkpath-name"]),
            ("pax-pos-size-file.tar", ["foo 999"]), ("invalid-go17.tar", ["foo 0"]),
            ("nil-uid.tar", ["P1050238.JPG.log 14"]),
            ("pax-global-records.tar", ["global1 0", "file2 0", "file3 0", "file4 0"]),
            ("hardlink.tar", ["file.txt 15", "hard.txt => file.txt"]),
            ("gnu.tar", ["small.txt 5", "small2.txt 11"]), ("v7.tar", ["small.txt 5", "small2.txt 11"]),
            ("star.tar", ["small.txt 5", "small2.txt 11"]),
        ])
    func details(name: String, expected: [String]) throws {
        let lines = try readArchive(Corpus.file("go-tar", name)).map { member in
            switch member.header.kind {
            case .file(let size): "\(member.header.name) \(size)"
            case .symlink(let target): "\(member.header.name) -> \(target)"
            case .hardLink(let target): "\(member.header.name) => \(target)"
            default: "\(member.header.name)"
            }
        }
        #expect(name == "gnu-long-nul.tar" ? lines.map { String($0.prefix(10)) } == expected : lines == expected)
    }

    @Test(
        "sparse files of every form have the content that they stand for",
        .enabled(if: Corpus.isPresent("go-tar"), "the corpus is not there"))
    func sparseFiles() throws {
        let members = try readArchive(Corpus.file("go-tar", "sparse-formats.tar"))
        #expect(
            members.map(\.header.name) == [
                "sparse-gnu", "sparse-posix-0.0", "sparse-posix-0.1", "sparse-posix-1.0", "end",
            ])
        #expect(members.prefix(4).allSatisfy { $0.content.count == 200 && $0.content == members[0].content })
        #expect(members[0].content.contains(0) && members[0].content.contains { $0 != 0 })
        #expect(members.last?.content.count == 4)
        for name in ["gnu", "pax"] {
            #expect(
                try readArchive(Corpus.file("go-tar", "\(name)-nil-sparse-hole.tar")).map(\.content) == [
                    [UInt8](repeating: 0, count: 1000)
                ])
            #expect(
                try readArchive(Corpus.file("go-tar", "\(name)-nil-sparse-data.tar")).map(\.content.count) == [1000])
            let big = try #require(try readArchive(Corpus.file("go-tar", "\(name)-sparse-big.tar")).first)
            #expect(big.header.kind.size == 60_000_000_000)
            #expect(big.omitted + UInt64(big.content.count) == big.header.kind.size)
        }
    }

    @Test(
        "names that are not UTF-8 are kept byte for byte",
        .enabled(if: Corpus.isPresent("go-tar"), "the corpus is not there"))
    func bytes() throws {
        let members = try readArchive(Corpus.file("go-tar", "gnu-not-utf8.tar"))
        #expect(
            members.map(\.header.name) == [ByteString(Array("hi".utf8) + [0x80, 0x81, 0x82, 0x83] + Array("bye".utf8))])
    }

    @Test(
        "cut and flipped archives of the corpus never trap",
        .enabled(if: Corpus.isPresent("go-tar"), "the corpus is not there"))
    func sweep() throws {
        var generator = SeededGenerator(seed: 3)
        var runs = 0
        for name in Corpus.names("go-tar") {
            let bytes = try Corpus.file("go-tar", name)
            for _ in 0..<200 {
                var mutated = bytes
                mutated[Int.random(in: 0..<mutated.count, using: &generator)] ^=
                    1 << UInt8.random(in: 0...7, using: &generator)
                _ = try? readArchive(mutated)
                _ = try? readArchive(Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &generator))))
                runs += 2
            }
        }
        #expect(runs > 10_000)
    }

    @Test(
        "fuzzed archives: no trap, and what GNU tar accepts is listed as GNU tar does or refused",
        .enabled(if: Corpus.isPresent("fuzz-tar") && Tool.isAvailable("tar"), "no corpus or no tar"))
    func fuzzed() throws {
        var (same, refused, both) = (0, 0, 0)
        for name in Corpus.names("fuzz-tar") {
            let bytes = try Corpus.file("fuzz-tar", name)
            let outcome = Result { () throws(TarError) in try readArchive(bytes) }
            let reference = try Tool.run(
                "tar", ["--quoting-style=literal", "-tf", Corpus.folder("fuzz-tar") + "/" + name])
            guard reference.status == 0 else {
                if name == Self.cutBehindDevice {
                    both += 1
                } else if case .success(let members) = outcome {
                    Issue.record("\(name): \(members.map(\.header.name)) but GNU tar \(reference.errors)")
                } else {
                    both += 1
                }
                continue
            }
            guard case .success(let members) = outcome else {
                #expect(Self.refused.contains(name), "\(name): \(outcome) but GNU tar \(reference.text)")
                refused += 1
                continue
            }
            let names = members.flatMap { member -> [UInt8] in
                member.header.name.bytes + (member.header.kind == .directory ? [0x2f] : []) + [0x0a]
            }
            if names == reference.output {
                same += 1
            } else {
                Issue.record("\(name): \(members.map(\.header)) but GNU tar \(reference.text)")
            }
        }
        #expect(same >= 78 && refused == Self.refused.count, "\(same) as GNU tar, \(refused) refused, \(both) by both")
        #expect(same + refused + both > 200)
    }
}
