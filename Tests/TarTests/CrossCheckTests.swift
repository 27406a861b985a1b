import Bytes
import Tar
import TestSupport
import Testing

/// Archives of ours listed and extracted by other programs, and theirs by us.
@Suite struct CrossCheckTests {
    static let python = """
        import sys, tarfile
        t = tarfile.open(sys.argv[1], encoding='utf-8', errors='surrogateescape')
        for m in t:
            kind = {tarfile.REGTYPE: 'f', tarfile.LNKTYPE: 'h', tarfile.SYMTYPE: 'l', tarfile.CHRTYPE: 'c', tarfile.BLKTYPE: 'b',
                tarfile.DIRTYPE: 'd', tarfile.FIFOTYPE: 'p'}[m.type]
            link = m.linkname if kind in 'hl' else ''
            fields = [kind, '%o' % m.mode, m.uid, m.gid, m.size, int(m.mtime), m.name.encode('utf-8', 'surrogateescape').hex(),
                link.encode('utf-8', 'surrogateescape').hex()]
            print(*fields, sep='|')
        """

    static func line(_ header: TarHeader) -> String {
        var (kind, size, link): (String, UInt64, ByteString) = ("", 0, "")
        switch header.kind {
        case .file(let length): (kind, size) = ("f", length)
        case .hardLink(let target): (kind, link) = ("h", target)
        case .symlink(let target): (kind, link) = ("l", target)
        case .characterDevice: kind = "c"
        case .blockDevice: kind = "b"
        case .directory: kind = "d"
        case .fifo: kind = "p"
        case .other: kind = "?"
        }
        func hex(_ bytes: ByteString) -> String {
            bytes.bytes.map { (($0 < 16) ? "0" : "") + String($0, radix: 16) }.joined()
        }
        return [
            kind, String(header.mode, radix: 8), "\(header.uid)", "\(header.gid)", "\(size)", "\(header.modified)",
            hex(header.name), hex(link),
        ]
        .joined(separator: "|")
    }

    @Test("Python's tarfile sees what was written", .enabled(if: Tool.isAvailable("python3"), "no python3"))
    func python() throws {
        let folder = try TemporaryDirectory()
        try folder.write("a.tar", writeArchive(EncoderTests.members))
        let outcome = try Tool.run("python3", ["-c", Self.python, folder.path + "/a.tar"])
        #expect(outcome.lines == EncoderTests.members.map { Self.line($0.header) }, "\(outcome.errors)")
    }

    @Test(
        "GNU tar and bsdtar list what was written",
        .enabled(if: Tool.isAvailable("bsdtar") && Tool.isAvailable("tar"), "no bsdtar"), arguments: ["tar", "bsdtar"])
    func listing(tool: String) throws {
        let members = EncoderTests.members
        let folder = try TemporaryDirectory()
        try folder.write("a.tar", writeArchive(members))
        let outcome = try Tool.run(tool, ["-tf", folder.path + "/a.tar"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        // Both escape what is not ASCII, each in its way.
        let names = members.map { member -> String? in
            let isPlain = member.header.name.bytes.allSatisfy { (0x20..<0x7f).contains($0) }
            return isPlain ? "\(member.header.name)" + (member.header.kind == .directory ? "/" : "") : nil
        }
        #expect(outcome.lines.count == names.count)
        for (line, name) in zip(outcome.lines, names) { if let name { #expect(line == name) } }
    }

    @Test(
        "archives that GNU tar writes are read", .enabled(if: Tool.isAvailable("tar"), "no tar"),
        arguments: ["v7", "ustar", "gnu", "oldgnu", "posix"])
    func gnuFormats(format: String) throws {
        let folder = try TemporaryDirectory()
        let isLimited = format == "v7" || format == "ustar"
        let name = isLimited ? "short" : EncoderTests.long + EncoderTests.long
        try folder.write(name, Array("content".utf8))
        let options = format == "posix" ? ["--pax-option=delete=atime,delete=ctime"] : []
        let written = try Tool.run(
            "tar",
            [
                "-C", folder.path, "--format=\(format)", "--mtime=@1234567890", "--owner=:1234", "--group=:5678",
                "--mode=0640", "-cf", "-",
            ] + options + [name])
        let member = ReadMember(
            header: TarHeader(
                name: ByteString(name), kind: .file(size: 7), mode: 0o640, uid: 1234, gid: 5678, modified: 1_234_567_890
            ),
            content: Array("content".utf8))
        #expect(try readArchive(written.output) == [member])
    }
}
