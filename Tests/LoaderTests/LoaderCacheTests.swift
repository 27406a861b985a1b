import Bytes
import Foundation
import Loader
import TestSupport
import Testing

struct LoaderCacheTests {
    @Test(
        "The machine's cache is read as ldconfig prints it", .enabled(if: ldconfig != nil, "needs ldconfig and a cache")
    )
    func machineCache() throws {
        let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: "/etc/ld.so.cache")))
        let cache = try LoaderCache(bytes, order: .little)
        let printed = try Tool.run(path: #require(Self.ldconfig), ["-p"]).lines.filter { $0.hasPrefix("\t") }.map {
            line in
            let name = line.dropFirst().components(separatedBy: " (").first ?? ""
            return name + " => " + (line.components(separatedBy: " => ").last ?? "")
        }
        #expect(cache.entries.map { "\($0.name) => \($0.path)" } == printed)
        #expect(!printed.isEmpty)
    }

    private static var ldconfig: String? {
        let isThere = FileManager.default.fileExists(atPath: "/etc/ld.so.cache")
        return isThere
            ? ["/usr/sbin/ldconfig", "/sbin/ldconfig"].first { FileManager.default.fileExists(atPath: $0) } : nil
    }

    @Test(
        "Caches that ldconfig writes in each format are read", .enabled(if: Fixture.isPossible && ldconfig != nil),
        arguments: ["new", "compat", "old"])
    func formats(format: String) throws {
        let fixture = try Fixture()
        try fixture.library("usr/lib/liba.so.1.0", soname: "liba.so.1", needs: [])
        // The old layout has no way to say that a file is a variant.
        if format != "old" { try fixture.library("usr/lib/glibc-hwcaps/x86-64-v3/liba.so.1.0", soname: "liba.so.1") }
        try fixture.write("etc/ld.so.conf", "/usr/lib\n")
        let result = try Tool.run(
            path: #require(Self.ldconfig), ["-r", fixture.path, "-c", format, "-C", "/etc/ld.so.cache"])
        try #require(result.status == 0, "\(result.errors)")
        let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: fixture.path + "/etc/ld.so.cache")))
        let cache = try LoaderCache(bytes, order: .little)
        #expect(cache.layout == (["new": .new, "compat": .compatible][format] ?? .old))
        let plain = LoaderCache.Match(path: "/usr/lib/liba.so.1", capability: nil)
        #expect(cache.path(of: "liba.so.1", flags: nil, capabilities: []) == plain)
        #expect(cache.path(of: "libb.so.1", flags: nil, capabilities: []) == nil)
        #expect(cache.path(of: "liba.so.1", flags: nil, capabilities: ["x86-64-v2"]) == plain)
        if isX86_64 { #expect(cache.path(of: "liba.so.1", flags: 0xa03, capabilities: []) == nil) }
        // ldconfig 2.36 itself prints wrong names for the variants of a compatible cache.
        if format == "new", isX86_64 {
            let better = cache.path(of: "liba.so.1", flags: 0x303, capabilities: ["x86-64-v3", "x86-64-v2"])
            #expect(better?.capability == "x86-64-v3")
            #expect(better?.path.description.hasPrefix("/usr/lib/glibc-hwcaps/x86-64-v3/") == true)
        }
    }

    /// A cache in the new layout with one entry of each capability field.
    private func cache(order: ByteOrder, orderFlag: UInt8, capabilities: [UInt64], extensions: Bool = true) -> [UInt8] {
        func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
            withUnsafeBytes(of: order == .little ? value.littleEndian : value.bigEndian) { Array($0) }
        }
        let strings =
            Array("liba.so\u{0}".utf8) + capabilities.indices.flatMap { Array("/l/\($0)\u{0}".utf8) }
            + Array("z15\u{0}".utf8)
        let start = UInt32(48 + 24 * capabilities.count)
        let section = (Int(start) + strings.count + 3) / 4 * 4
        var file = Array("glibc-ld.so.cache1.1".utf8) + bytes(UInt32(capabilities.count)) + bytes(UInt32(strings.count))
        file += [orderFlag, 0, 0, 0] + bytes(UInt32(extensions ? section : 0)) + [UInt8](repeating: 0, count: 12)
        for (index, value) in capabilities.enumerated() {
            file +=
                bytes(Int32(0x403)) + bytes(start) + bytes(start + 8 + UInt32(index) * 5) + bytes(UInt32(0))
                + bytes(value)
        }
        file += strings + [UInt8](repeating: 0, count: section - Int(start) - strings.count)
        file += bytes(UInt32(0xeaa4_2174)) + bytes(UInt32(1)) + bytes(UInt32(1)) + bytes(UInt32(0))
        return file + bytes(UInt32(section + 24)) + bytes(UInt32(4)) + bytes(start + UInt32(strings.count) - 4)
    }

    @Test("Caches of both byte orders are read, hwcaps entries with their names", arguments: [ByteOrder.little, .big])
    func byteOrders(order: ByteOrder) throws {
        let bytes = cache(order: order, orderFlag: order == .little ? 2 : 3, capabilities: [0x4000_0000_0000_0000, 0])
        let cache = try LoaderCache(bytes, order: order)
        #expect(cache.hardwareCapabilities == ["z15"])
        #expect(cache.path(of: "liba.so", flags: 0x403, capabilities: ["z15"])?.path == "/l/0")
        #expect(cache.path(of: "liba.so", flags: 0x403, capabilities: [])?.path == "/l/1")
    }

    @Test("A cache that ld.so would ignore is refused")
    func refusals() {
        func error(_ bytes: [UInt8]) -> LoaderCacheError? {
            do {
                _ = try LoaderCache(bytes, order: .little)
                return nil
            } catch { return error }
        }
        let good = cache(order: .little, orderFlag: 2, capabilities: [0])
        #expect(error(good) == nil)
        #expect(error(cache(order: .little, orderFlag: 3, capabilities: [0])) == .otherByteOrder)
        #expect(error(cache(order: .little, orderFlag: 1, capabilities: [0])) == .markedInvalid)
        #expect(error([]) == .unknownFormat)
        #expect(error(Array("garbage".utf8)) == .unknownFormat)
        #expect(error(Array(good[..<40])) == .truncated)
        #expect(error(Array(good[..<60])) == .truncated)
        #expect(error(Array(good[..<74])) == .stringOutOfBounds(entry: 0))
    }

    @Test("No change of bytes makes the reader trap", arguments: 0..<2)
    func mutations(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let order: ByteOrder = seed == 0 ? .little : .big
        var original = cache(
            order: order, orderFlag: order == .little ? 2 : 3, capabilities: [0x4000_0000_0000_0000, 0x10, 0])
        if seed == 0 {
            // The compatible layout: an old header without entries in front.
            original = Array("ld.so-1.7.0\u{0}\u{0}\u{0}\u{0}\u{0}".utf8) + original
        }
        var outcomes = (read: 0, refused: 0)
        for _ in 0..<fuzzRounds {
            var bytes = original
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: for index in place..<min(place + 4, bytes.count) { bytes[index] = 0xff }
                default: bytes.removeLast(min(bytes.count - 1, Int.random(in: 0..<24, using: &generator)))
                }
            }
            do {
                _ = try LoaderCache(bytes, order: order).path(of: "liba.so", flags: 0x403, capabilities: ["z15"])
                outcomes.read += 1
            } catch { outcomes.refused += 1 }
        }
        #expect(outcomes.read > 0)
        #expect(outcomes.refused > 0)
    }
}
