import Bytes
import ELF
import TestSupport
import Testing

struct ELFFuzzTests {
    @Test("No change of bytes makes the reader trap, and every outcome is a value or an error", arguments: 0..<4)
    func mutations(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let original = ELFBuilder(
            fileClass: seed % 2 == 0 ? .bits64 : .bits32, order: seed / 2 == 0 ? .little : .big,
            interpreter: "/lib/ld.so",
            dynamic: [
                .string(1, "liba.so"), .string(14, "s"), .string(29, "/x:$ORIGIN"),
                .number(0x6fff_fffe, ELFBuilder.base),
                .number(0x6fff_ffff, 2), .number(0x6fff_fffc, ELFBuilder.base), .number(0x6fff_fffd, 2),
            ]
        ).build()
        var outcomes = (read: 0, refused: 0)
        for _ in 0..<fuzzRounds {
            var bytes = original
            for _ in 0...Int.random(in: 0..<6, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 2: for index in place..<min(place + 8, bytes.count) { bytes[index] = 0xff }
                default: bytes.removeLast(min(bytes.count - 1, Int.random(in: 0..<16, using: &generator)))
                }
            }
            do {
                _ = try parse(bytes).kind
                outcomes.read += 1
            } catch { outcomes.refused += 1 }
        }
        // Both happen, or the mutations test nothing.
        #expect(outcomes.read > 0)
        #expect(outcomes.refused > 0)
    }

    @Test("Every prefix of a file is read or refused")
    func truncations() throws {
        let bytes = ELFBuilder(interpreter: "/lib/ld.so", dynamic: [.string(1, "liba.so")]).build()
        for length in 0..<bytes.count { #expect(throws: ELFError.self) { try parse(Array(bytes[..<length])) } }
    }
}
