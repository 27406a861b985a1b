import Bytes
import ELF
import Foundation
import TestSupport
import Testing

struct DynamicSymbolTests {
    @Test(
        "Imported and defined symbols are those that readelf lists",
        .enabled(if: Tool.isAvailable("readelf"), "needs readelf (binutils)"))
    func programs() throws {
        let folder = "/usr/bin"
        var examined = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where examined < 60 {
            guard let data = try? Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)) else { continue }
            let bytes = [UInt8](data)
            guard bytes.starts(with: ELFHeader.magic), bytes.count < 1 << 20 else { continue }
            let image = try parse(bytes)
            let output = try Tool.run("readelf", ["-W", "--dyn-syms", folder + "/" + name]).lines
            let rows = output.map { $0.split(separator: " ") }.filter { $0.count >= 8 && Int($0[0].dropLast()) != nil }
            let names = { (imported: Bool) in
                rows.filter { ($0[6] == "UND") == imported }.map { row in
                    row[7].split(separator: "@").first.map { String($0) } ?? ""
                }
            }
            let source = ELFBytes(bytes)
            #expect(
                try image.dynamicSymbols(.imported, reading: source).map(\.description) == names(true), "\(name)")
            #expect(
                try image.dynamicSymbols(.defined, reading: source).map(\.description) == names(false), "\(name)")
            examined += 1
        }
        try #require(examined > 20)
    }

    @Test(
        "Symbols of both classes and byte orders are read alike",
        arguments: [ELFClass.bits32, .bits64], [ByteOrder.little, .big])
    func classesAndOrders(fileClass: ELFClass, order: ByteOrder) throws {
        var builder = ELFBuilder(fileClass: fileClass, order: order)
        builder.symbols = [.init("pthread_exit", isDefined: false), .init("main", isDefined: true)]
        let bytes = builder.build()
        let image = try parse(bytes)
        #expect(try image.dynamicSymbols(.imported, reading: ELFBytes(bytes)) == ["pthread_exit"])
        #expect(try image.dynamicSymbols(.defined, reading: ELFBytes(bytes)) == ["main"])
    }

    @Test("No change of bytes makes the reader trap", arguments: 0..<2)
    func mutations(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var builder = ELFBuilder(fileClass: seed == 0 ? .bits64 : .bits32, order: seed == 0 ? .little : .big)
        builder.symbols = (0..<9).map { .init("symbol\($0)", isDefined: $0 % 2 == 0) }
        let original = builder.build()
        var outcomes = (names: 0, refused: 0)
        for _ in 0..<fuzzRounds {
            var bytes = original
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] =
                    [0xff, 0, UInt8.random(in: 0...255, using: &generator)].randomElement(using: &generator)
                    ?? 0
            }
            do {
                let source = ELFBytes(bytes)
                outcomes.names += try ELFImage(reading: source).dynamicSymbols(.imported, reading: source).count
            } catch { outcomes.refused += 1 }
        }
        #expect(outcomes.names > 0)
        #expect(outcomes.refused > 0)
    }
}
