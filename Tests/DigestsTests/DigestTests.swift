import Testing

@testable import Digests

struct DigestTests {
    static let hello = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

    @Test func aDigestIsThatOfSHA256AndPrintsAsOCIWritesIt() throws {
        #expect(Digest(hashing: Array("hello".utf8)).description == Self.hello)
        #expect(try Digest(parsing: Self.hello) == Digest(hashing: Array("hello".utf8)))
        #expect(Digest.empty.hexadecimal == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func piecesHashAsTheWhole() {
        var hasher = DigestHasher()
        for piece in ["he", "", "llo"] { Array(piece.utf8).withUnsafeBytes { hasher.update($0) } }
        #expect(hasher.count == 5)
        #expect(hasher.finalize().description == Self.hello)
    }

    @Test func bytesRoundTrip() throws {
        let digest = try Digest(parsing: Self.hello)
        #expect(Digest(bytes: digest.bytes) == digest)
        #expect(Digest(bytes: [1, 2, 3]) == nil)
    }

    @Test(arguments: [
        "", "sha256:", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        "sha256:2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824", "sha256:../../etc/passwd",
        "sha512:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b982", hello + "0", hello + "\n",
    ])
    func anythingElseIsNoDigest(_ text: String) {
        #expect(throws: DigestError.self) { try Digest(parsing: text) }
    }

    @Test func ofAllBytesOnlyLowerCaseDigitsAreDigits() throws {
        let digits = Array(Self.hello.utf8.dropFirst(7))
        for position in digits.indices {
            for byte in UInt8.min ... .max {
                var text = digits
                text[position] = byte
                let found = text.withUnsafeBufferPointer { Digest(hexadecimalDigits: $0) }
                let isDigit = "0123456789abcdef".utf8.contains(byte)
                #expect(found.map { Array($0.hexadecimal.utf8) } == (isDigit ? text : nil))
            }
        }
    }

    @Test func theChainIDOfOneLayerIsItsDiffID() throws {
        let one = DiffID(Digest(hashing: [1]))
        let two = DiffID(Digest(hashing: [2]))
        #expect(ChainID(of: []) == nil)
        #expect(ChainID(of: [one])?.digest == one.digest)
        #expect(ChainID(of: [one, two])?.digest == Digest(hashing: Array("\(one) \(two)".utf8)))
    }
}
