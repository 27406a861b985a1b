import Bytes
import ELF
import Testing

struct ELFImageTests {
    @Test(
        "Both classes and byte orders are read alike",
        arguments: [ELFClass.bits32, .bits64], [ByteOrder.little, .big])
    func classesAndOrders(fileClass: ELFClass, order: ByteOrder) throws {
        var builder = ELFBuilder(fileClass: fileClass, order: order, machine: 22, entry: 0x1234)
        builder.interpreter = "/lib/ld64.so.1"
        builder.dynamic = [
            .string(1, "libb.so.1"), .string(15, "/r"), .string(29, "$ORIGIN/../lib"), .string(14, "liba.so.2"),
            .number(30, 0x8), .number(0x6fff_fffb, 0x0800_0800), .string(0x7fff_ffff, "libf.so"),
            .string(1, "libc.so.6"),
            .string(0x7fff_fffd, "libx.so"), .string(0x6fff_fefc, "a:b"), .string(0x6fff_fefb, "d"),
        ]
        let image = try parse(builder.build())
        #expect(image.header.fileClass == fileClass)
        #expect(image.header.byteOrder == order)
        #expect(image.header.machine == .s390)
        #expect(image.header.entry == 0x1234)
        #expect(image.interpreter == "/lib/ld64.so.1")
        #expect(image.kind == .dynamicExecutable)
        let dynamic = try #require(image.dynamic)
        #expect(
            dynamic.dependencies == [
                .init(.needed, "libb.so.1"), .init(.filter, "libf.so"), .init(.needed, "libc.so.6"),
                .init(.auxiliary, "libx.so"),
            ])
        #expect(dynamic.needed == ["libb.so.1", "libc.so.6"])
        #expect(dynamic.soname == "liba.so.2")
        #expect(dynamic.rpath == "/r")
        #expect(dynamic.runpath == "$ORIGIN/../lib")
        #expect(dynamic.flags == 8)
        #expect(dynamic.flags1 == [.noDefaultLibraries, .positionIndependentExecutable])
        #expect(dynamic.audit == "a:b")
        #expect(dynamic.dependencyAudit == "d")
    }

    struct KindCase: CustomTestStringConvertible {
        var testDescription: String
        var builder: ELFBuilder
        var kind: ELFImage.Kind

        init(_ description: String, _ builder: ELFBuilder, _ kind: ELFImage.Kind) {
            testDescription = description
            self.builder = builder
            self.kind = kind
        }
    }

    @Test(
        "The kind follows from type, interpreter and dynamic section",
        arguments: [
            KindCase("ET_EXEC with PT_INTERP", ELFBuilder(type: 2, interpreter: "/i"), .dynamicExecutable),
            KindCase("ET_EXEC without", ELFBuilder(type: 2, dynamic: nil), .staticExecutable),
            KindCase("ET_DYN with PT_INTERP", ELFBuilder(interpreter: "/i"), .dynamicExecutable),
            KindCase("ET_DYN, DF_1_PIE", ELFBuilder(dynamic: [.number(0x6fff_fffb, 0x0800_0000)]), .staticPIE),
            KindCase(
                "ET_DYN, DF_1_PIE, DT_NEEDED",
                ELFBuilder(dynamic: [.number(0x6fff_fffb, 0x0800_0000), .string(1, "l")]), .sharedObject),
            KindCase("ET_DYN, unmarked, with entry", ELFBuilder(entry: 64), .staticPIE),
            KindCase("ET_DYN, soname, entry", ELFBuilder(entry: 64, dynamic: [.string(14, "s")]), .sharedObject),
            KindCase("ET_DYN, no entry", ELFBuilder(), .sharedObject),
            KindCase("ET_REL", ELFBuilder(type: 1, dynamic: nil), .other),
            KindCase("ET_CORE", ELFBuilder(type: 4, dynamic: nil), .other),
        ])
    func kinds(_ test: KindCase) throws {
        #expect(try parse(test.builder.build()).kind == test.kind)
    }

    @Test("Of a tag that occurs twice the last counts, but every DT_NEEDED")
    func repeatedTags() throws {
        let builder = ELFBuilder(dynamic: [
            .string(29, "/first"), .string(1, "a"), .string(29, "/last"), .string(1, "a"),
        ])
        let dynamic = try #require(try parse(builder.build()).dynamic)
        #expect(dynamic.runpath == "/last")
        #expect(dynamic.needed == ["a", "a"])
    }

    @Test("PN_XNUM: the number of program headers is in the first section header")
    func extendedProgramHeaderCount() throws {
        var builder = ELFBuilder(interpreter: "/i", dynamic: [.string(1, "libc.so.6")])
        builder.announcedProgramHeaders = 0xffff
        builder.extendedProgramHeaders = 3
        let image = try parse(builder.build())
        #expect(image.programHeaders.count == 3)
        #expect(image.dynamic?.needed == ["libc.so.6"])
    }

    struct DamageCase: CustomTestStringConvertible {
        var testDescription: String
        var bytes: [UInt8]
        var error: ELFError

        init(_ description: String, _ builder: ELFBuilder, _ error: ELFError, edit: (inout [UInt8]) -> Void = { _ in })
        {
            testDescription = description
            bytes = builder.build()
            self.error = error
            edit(&bytes)
        }
    }

    @Test(
        "Damage is named",
        arguments: [
            DamageCase("empty", ELFBuilder(), .notELF) { $0 = [] },
            DamageCase("text", ELFBuilder(), .notELF) { $0 = Array("#!/bin/sh\n".utf8) },
            DamageCase("magic only", ELFBuilder(), .truncated(.fileHeader, offset: 4)) { $0 = Array($0[..<4]) },
            DamageCase("half a header", ELFBuilder(), .truncated(.fileHeader, offset: 40)) { $0 = Array($0[..<40]) },
            DamageCase("class 3", ELFBuilder(), .invalidClass(3)) { $0[4] = 3 },
            DamageCase("byte order 0", ELFBuilder(), .invalidByteOrder(0)) { $0[5] = 0 },
            DamageCase("version 2", ELFBuilder(), .invalidVersion(2)) { $0[6] = 2 },
            DamageCase("program header size", ELFBuilder(), .programHeaderSize(found: 57, expected: 56)) {
                $0[54] = 57
            },
            DamageCase("program headers behind the end", ELFBuilder(), .truncated(.programHeaders, offset: 1 << 62)) {
                $0.replaceSubrange(32..<40, with: [0, 0, 0, 0, 0, 0, 0, 0x40])
            },
            DamageCase(
                "interpreter not terminated", ELFBuilder(interpreter: "/lib/ld.so", terminatesInterpreter: false),
                .invalidInterpreter),
            DamageCase("interpreter empty", ELFBuilder(interpreter: ""), .invalidInterpreter),
            DamageCase(
                "name behind the string table", ELFBuilder(dynamic: [.number(1, 999)]),
                .stringOutOfBounds(.needed, offset: 999)),
            DamageCase(
                "string table not mapped", ELFBuilder(dynamic: [.string(1, "l")]),
                .addressNotMapped(.stringTable, address: 1)
            ) { bytes in
                // The last but two entries: DT_STRTAB.
                let value = bytes.count - 3 * 16 + 8
                bytes.replaceSubrange(value..<value + 8, with: [1, 0, 0, 0, 0, 0, 0, 0])
            },
            DamageCase(
                "65,535 program headers announced", ELFBuilder(announcedProgramHeaders: 0xfffe),
                .truncated(.programHeaders, offset: 64)),
        ])
    func damage(_ test: DamageCase) {
        #expect(throws: test.error) { try parse(test.bytes) }
    }

    @Test("A file of any size costs a few bounded reads")
    func boundedReads() throws {
        let source = CountingSource(
            ELFBuilder(interpreter: "/i", dynamic: [.string(1, "libc.so.6")]).build(), size: 1 << 40)
        let image = try ELFImage(reading: source)
        #expect(image.dynamic?.needed == ["libc.so.6"])
        #expect(source.reads <= 3)
        #expect(source.bytes <= 1 << 16)
    }
}

/// A huge file that begins with given bytes and goes on with zeros.
private final class CountingSource: ELFSource {
    private let start: [UInt8]
    private let size: UInt64
    private(set) var reads = 0
    private(set) var bytes = 0

    init(_ start: [UInt8], size: UInt64) {
        self.start = start
        self.size = size
    }

    func read(at offset: UInt64, count: Int) throws(Never) -> [UInt8] {
        let length = Int(min(UInt64(count), size - min(size, offset)))
        reads += 1
        bytes += length
        return (0..<length).map { index in
            let place = offset + UInt64(index)
            return place < UInt64(start.count) ? start[Int(place)] : 0
        }
    }
}
