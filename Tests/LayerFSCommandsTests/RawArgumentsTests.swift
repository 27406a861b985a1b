import Testing

@testable import LayerFSCommands

struct RawArgumentsTests {
    @Test(
        arguments: [
            [], Array("plain".utf8), Array("grün/日本".utf8), [0xff], [0x64, 0xff, 0x65], [0xc3], [0xed, 0xa0, 0x80],
            [0xf4, 0x8f, 0xb8, 0x80], [0xf0, 0x9f, 0x98], Array("e\u{301}".utf8), [0xc0, 0x80],
        ] as [[UInt8]])
    func anyBytesComeThroughAParserOfText(_ bytes: [UInt8]) {
        #expect(RawArguments.bytes(of: RawArguments.text(of: bytes)) == bytes)
    }

    @Test func textStaysText() {
        #expect(RawArguments.text(of: Array("--cmd=é".utf8)) == "--cmd=é")
    }
}
