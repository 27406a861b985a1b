import Testing

@testable import LayerFSCommands

struct OutputTests {
    @Test(
        arguments: [
            (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1049, "1.0 kB"), (1050, "1.1 kB"), (999_949, "999.9 kB"),
            (999_950, "1.0 MB"), (1_234_567, "1.2 MB"), (UInt64.max, "18.4 EB"),
        ] as [(UInt64, String)])
    func bytesArePowersOfAThousand(_ bytes: UInt64, _ text: String) {
        #expect(ByteCount(bytes).description == text)
    }

    @Test func columnsAreAsWideAsTheirWidestCellAndEndWithoutSpaces() {
        var table = TextTable([("NAME", .left), ("N", .right), ("NOTE", .left)])
        table.add(["a", "100", ""])
        table.add(["longer", "1", "x"])
        #expect(table.lines == ["NAME      N  NOTE", "a       100", "longer    1  x"])
    }
}
