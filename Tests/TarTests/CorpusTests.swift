import Bytes
import Tar
import TestSupport
import Testing

/// Archives that others collected: Go's archive/tar tests, tar-split's, and a fuzzer's.
@Suite struct CorpusTests {
    /// A device that declares content, and the end of the file: for Go and Python a device has none.
    static let cutBehindDevice = "e1ee069c63740fc68509dea9dc28271a3ed55483-2"

    /// Archives that GNU tar lists and layerfs refuses, each with what is wrong with it.
    ///
    /// - Three end in the middle of a header: some of a member is there, and the rest of the archive is not. GNU tar drops such
    ///   an end without a word, with the members that it stood for. Go (so Docker, containerd and podman) and bsdtar refuse.
    /// - In one a device declares a content of 107 bytes. GNU tar skips as many; for Go a device has no content, and what follows
    ///   it are members: whoever packs it chooses what each of the two sees. Engines being Go's, that reading is the one that
    ///   counts, and it finds no header there.
    static let refused: [String: TarError] = [
        "1888b06f2c264f089e566fa0214843896cfa2129-2": .truncated(offset: 4096),
        "87bdcf70c13f47e2a2861cd7b1f9e22c56b121f9-2": .truncated(offset: 3584),
        "ffa84361054fdbbcfae42e29284d1444c8b8e5ad-6": .truncated(offset: 4608),
        "7827e10ed47860b7ba74709e4deaba16425f5e99-2": .badChecksum(offset: 512),
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
        "extended headers that are too large are refused",
        .enabled(if: Corpus.isPresent("go-tar") && Tool.isAvailable("python3"), "no corpus or no python3"))
    func largeHeader() throws {
        let path = Corpus.folder("go-tar") + "/pax-bad-hdr-large.tar.bz2"
        let script = "import bz2, sys; sys.stdout.buffer.write(bz2.open(sys.argv[1]).read())"
        let bytes = try Tool.succeed("python3", ["-c", script, path]).output
        #expect(throws: TarError.extensionTooLarge(offset: 0)) { try readArchive(bytes) }
    }

    private static let headers: [String] = [
        "dir", "fifo", "file 46", "hardlink => file", "null", "sda", "symlink -> file", "badlink -> missing",
    ]
    private static let oneToHundred: String = (1...100).map { "\($0)" }.joined()
    private static let longFile: String = String(repeating: "longname/", count: 15) + "file.txt 6"
    private static let smileys: String = String(repeating: "☺☻☹", count: 18) + " 0"
    private static let tens: String = String(String(repeating: "123456789/", count: 30).dropLast())

    static let listings: [(name: String, expected: [String])] = [
        ("hdr-only.tar", headers + headers), ("ustar-file-devs.tar", ["file 0"]), ("ustar-file-reg.tar", ["foo 684"]),
        ("file-and-dir.tar", ["small.txt 5", "dir"]), ("xattrs.tar", ["small.txt 5", "small2.txt 11"]),
        ("pax.tar", ["a/\(oneToHundred) 7", "a/b -> \(oneToHundred)"]), ("pax-records.tar", ["file 0"]),
        ("ustar.tar", [longFile]), ("gnu-utf8.tar", [smileys]), ("trailing-slash.tar", [tens]),
        ("gnu-incremental.tar", ["test2", "test2/foo 64", "test2/sparse 536870912"]),
        ("gnu-long-nul.tar", ["0123456789"]), ("pax-multi-hdrs.tar", ["bar -> PAX4/PAX4/long-linkpath-name"]),
        ("gnu-multi-hdrs.tar", ["GNU2/GNU2/long-path-name -> GNU4/GNU4/long-linkpath-name"]),
        ("pax-pos-size-file.tar", ["foo 999"]), ("invalid-go17.tar", ["foo 0"]),
        ("nil-uid.tar", ["P1050238.JPG.log 14"]),
        ("pax-global-records.tar", ["global1 0", "file2 0", "file3 0", "file4 0"]),
        ("hardlink.tar", ["file.txt 15", "hard.txt => file.txt"]),
        ("gnu.tar", ["small.txt 5", "small2.txt 11"]), ("v7.tar", ["small.txt 5", "small2.txt 11"]),
        ("star.tar", ["small.txt 5", "small2.txt 11"]),
    ]

    @Test(
        "details that readers get wrong", .enabled(if: Corpus.isPresent("go-tar"), "the corpus is not there"),
        arguments: listings)
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
        "fuzzed archives: no trap, and what GNU tar accepts is listed as GNU tar does, or refused for a named reason",
        .enabled(
            if: Corpus.isPresent("fuzz-tar") && ["tar", "gzip"].allSatisfy { Tool.isAvailable($0) },
            "no corpus, no tar or no gzip"))
    func fuzzed() throws {
        var (same, refused, both) = (0, 0, 0)
        for name in Corpus.names("fuzz-tar") {
            let path = Corpus.folder("fuzz-tar") + "/" + name
            var bytes = try Corpus.file("fuzz-tar", name)
            // GNU tar decompresses by itself; here that is another module's work.
            if bytes.starts(with: [0x1f, 0x8b]) { bytes = try Tool.run("gzip", ["-dc", path]).output }
            let outcome = Result { () throws(TarError) in try readArchive(bytes) }
            let reference = try Tool.run("tar", ["--quoting-style=literal", "-tf", path])
            guard reference.status == 0 else {
                if case .success(let members) = outcome, name != Self.cutBehindDevice {
                    Issue.record("\(name): \(members.map(\.header.name)) but GNU tar \(reference.errors)")
                }
                both += 1
                continue
            }
            switch outcome {
            case .success(let members):
                #expect(Self.names(members) == reference.output, "\(name): \(members.map(\.header))")
                same += 1
            case .failure(let error):
                #expect(error == Self.refused[name], "\(name): \(error), but GNU tar \(reference.text)")
                refused += 1
                // But for the broken end nothing is amiss.
                guard case .truncated(let offset) = error else { continue }
                #expect(try Self.names(readArchive(Array(bytes[..<Int(offset)]))) == reference.output, "\(name)")
                if Tool.isAvailable("bsdtar") { #expect(try Tool.run("bsdtar", ["-tf", path]).status != 0, "\(name)") }
            }
        }
        #expect((same, refused, both) == (79, 4, 142))
    }

    /// As GNU tar lists them.
    private static func names(_ members: [ReadMember]) -> [UInt8] {
        members.flatMap { member -> [UInt8] in
            member.header.name.bytes + (member.header.kind == .directory ? [0x2f] : []) + [0x0a]
        }
    }
}
