import Bytes
import Testing
import Trees

struct DumpTimeTests {
    private static func fold(_ text: String, _ time: DumpTime) -> [UInt8] {
        var output: [UInt8] = []
        Array(text.utf8).withUnsafeBytes { time.fold($0, into: &output) }
        return output
    }

    private static func unfold(_ text: [UInt8], _ time: DumpTime) -> [UInt8] {
        var output: [UInt8] = []
        text.withUnsafeBytes { text in time.unfold(text) { output += $0 } }
        return output
    }

    @Test(arguments: [
        ("", ""), ("/ 0 40755 2 0 0 0 12.5 - - -\n", "/ 0 40755 2 0 0 0 \u{1} - - -\n"),
        // Another time that begins or ends like it; a target that is written as it is; two, one behind the other.
        ("/a 12.50 112.5 2.5 12.5\n", "/a 12.50 112.5 2.5 12.5\n"), ("/l 12.5 12.5 -\n", "/l \u{1} \u{1} -\n"),
        (" 12.5 ", " \u{1} "), (" 12.5", " 12.5"), ("12.5 ", "12.5 "),
    ])
    func eachFieldThatIsTheTimeIsAMark(_ text: String, _ folded: String) {
        let time = DumpTime(Timestamp(seconds: 12, nanoseconds: 5))
        #expect(time.text == "12.5")
        let found = Self.fold(text, time)
        #expect(String(decoding: found, as: UTF8.self) == folded)
        #expect(Self.unfold(found, time) == Array(text.utf8))
    }

    @Test(arguments: [0, -7, 1_700_000_000] as [Int64], [0, 300, 5000])
    func aDumpComesBackAsItWas(_ seconds: Int64, _ count: Int) throws {
        var entries = [Entry(path: .root, metadata: Metadata(mode: 0o755), kind: .directory)]
        for number in 0..<count {
            let time = Timestamp(seconds: number % 3 == 0 ? seconds : seconds + Int64(number), nanoseconds: 0)
            let kind: Entry.Kind = number % 2 == 0 ? .directory : .symlink(target: ByteString("\(seconds).0"))
            entries.append(
                Entry(
                    path: try TreePath(ByteString("/\(1_000_000 + number)")),
                    metadata: Metadata(mode: 0o755, modified: time),
                    kind: kind))
        }
        let dump = TreeDump.encode(try Tree(entries))
        let time = try #require(DumpTime(text: "\(seconds).0"))
        #expect(time == DumpTime(Timestamp(seconds: seconds)))
        var folded: [UInt8] = []
        dump.withUnsafeBytes { time.fold($0, into: &folded) }
        #expect(count == 0 || folded.count < dump.count)
        #expect(Self.unfold(folded, time) == dump)
    }

    @Test func aDumpOfNothingButMarksIsReadInPieces() throws {
        let time = try #require(DumpTime(text: "1700000000.0"))
        var largest = 0
        [UInt8](repeating: 1, count: 1 << 18).withUnsafeBytes { marks in
            time.unfold(marks) { largest = max(largest, $0.count) }
        }
        #expect(largest < 1 << 17)
    }

    @Test(arguments: ["", " ", "1.0\n", "0x1", String(repeating: "1", count: 33)])
    func whatIsNoTimeIsNone(_ text: String) { #expect(DumpTime(text: text) == nil) }
}
