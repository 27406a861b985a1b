import OCI
import TestSupport
import Testing

@Suite struct JSONTests {
    @Test(
        "canonical text of values",
        arguments: [
            (
                #" { "b" : [ 1 , -0, true ,null ] , "a" : "\u00e9\/\ud83d\ude00\t" } "#,
                #"{"a":"é/😀\t","b":[1,0,true,null]}"#
            ),
            (#"{"é":1,"z":2,"Z":3,"10":4,"9":5}"#, #"{"10":4,"9":5,"Z":3,"z":2,"é":1}"#),
            ("1.50e3", "1.50e3"), ("9223372036854775808", "9223372036854775808"), (#""\u0000""#, #""\u0000""#),
            ("{}", "{}"), ("[]", "[]"), (#"{"\u0065\u0301":1,"\u00e9":2}"#, "{\"e\u{301}\":1,\"\u{e9}\":2}"),
        ])
    func canonical(text: String, expected: String) throws {
        let value = try JSONValue(parsing: Array(text.utf8))
        #expect(value.canonicalBytes == Array(expected.utf8))
        #expect(try JSONValue(parsing: value.canonicalBytes).canonicalBytes == value.canonicalBytes)
    }

    @Test(
        "malformed text is refused",
        arguments: [
            "", " ", "{", "[", "\"", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "01", "1.", "1e", "-", "+1", ".5",
            "nul", "true x",
            #"{"a":1,"a":2}"#, #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, #""\x""#, #""\u12g4""#, "\"\u{1}\"",
            "\u{feff}{}",
            "'a'", "NaN", #""\u12"#, #""\"#, "{1:2}", "[1 2]", "// c\n1",
        ])
    func malformed(text: String) {
        #expect(throws: OCIError.self) { try JSONValue(parsing: Array(text.utf8)) }
    }

    @Test func invalidUTF8IsRefused() {
        #expect(throws: OCIError.self) { try JSONValue(parsing: [0x22, 0xff, 0x22]) }
        #expect(throws: OCIError.self) { try JSONValue(parsing: [0x22, 0xed, 0xa0, 0x80, 0x22]) }
    }

    @Test func depthAndSizeAreBounded() {
        let deep = String(repeating: "[", count: 200_000) + String(repeating: "]", count: 200_000)
        #expect(throws: OCIError.self) { try JSONValue(parsing: Array(deep.utf8)) }
        #expect(throws: OCIError.documentTooLarge(size: 4_194_305)) {
            try JSONValue(parsing: [UInt8](repeating: 0x20, count: 4_194_305))
        }
    }

    @Test func aMutatedDocumentNeverTraps() throws {
        let valid = Array(
            #"""
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":{"Env":["A=b"],"User":"x"},
            "manifests":[{"mediaType":"a/b","size":1,"digest":"sha256:\#(String(repeating: "0a", count: 32))","urls":["a:b"],
            "data":"YQ==","annotations":{"a\u00e9":"\ud83d\ude00"},"platform":{"os":"l","architecture":"a"}}],
            "rootfs":{"type":"layers","diff_ids":[]},"os":"l","architecture":"a","created":"2015-10-31T22:22:56.0Z"}
            """#.utf8)
        var generator = SeededGenerator(seed: 1)
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: index)
                default: bytes.insert(bytes.randomElement(using: &generator)!, at: index)
                }
            }
            if (try? ImageIndex(parsing: bytes)) != nil { accepted += 1 }
            if (try? ImageConfiguration(parsing: bytes)) != nil { accepted += 1 }
            if (try? Manifest(parsing: bytes)) != nil { accepted += 1 }
            if let value = try? JSONValue(parsing: bytes) {
                accepted += 1
                #expect(try JSONValue(parsing: value.canonicalBytes).canonicalBytes == value.canonicalBytes)
            }
        }
        #expect(accepted > 100)
    }
}
