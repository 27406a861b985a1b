import Bytes
import ELF
import Foundation
import TestSupport
import Testing

struct DlopenNoteTests {
    @Test(
        "Notes are read from their segment, several and in both forms, of every class and byte order",
        arguments: [ELFClass.bits32, .bits64], [ByteOrder.little, .big])
    func segments(fileClass: ELFClass, order: ByteOrder) throws {
        var builder = ELFBuilder(fileClass: fileClass, order: order)
        builder.dlopenNotes = [
            #"[{"soname":["libx.so.2","libx.so.1"],"feature":"x","description":"é \u00e9","priority":"required"},"#
                + #"{"soname":["liby.so"],"priority":"suggested","more":{"a":[1,-2.5e3,true,null]}}]"#,
            #"{"soname":"libz.so"}"#,
        ]
        let bytes = builder.build()
        let (notes, errors) = try parse(bytes).dlopenNotes(reading: ELFBytes(bytes))
        #expect(errors == [])
        #expect(
            notes == [
                DlopenNote(
                    sonames: ["libx.so.2", "libx.so.1"], feature: "x", purpose: "é é", priority: .required),
                DlopenNote(sonames: ["liby.so"], priority: .suggested), DlopenNote(sonames: ["libz.so"]),
            ])
        #expect(DlopenNote.Priority.suggested < .recommended && .recommended < DlopenNote.Priority.required)
    }

    @Test(
        "A section that objcopy added is read where no segment holds a note",
        .enabled(if: Tool.isAvailable("gcc") && Tool.isAvailable("objcopy"), "needs gcc and objcopy"))
    func sections() throws {
        let folder = try TemporaryDirectory()
        try folder.write("a.c", Array("int main(void) { return 0; }\n".utf8))
        try folder.write("note", ELFBuilder().note(#"[{"soname":["libz.so.1"]}]"#))
        try #require(try Tool.run("gcc", ["-o", folder.path + "/a", folder.path + "/a.c"]).status == 0)
        let result = try Tool.run(
            "objcopy",
            [
                "--add-section", ".note.dlopen=\(folder.path)/note", "--set-section-flags",
                ".note.dlopen=alloc,readonly", folder.path + "/a", folder.path + "/b",
            ])
        try #require(result.status == 0, "\(result.errors)")
        let bytes = try folder.read("b")
        #expect(try parse(bytes).dlopenNotes(reading: ELFBytes(bytes)).notes == [DlopenNote(sonames: ["libz.so.1"])])
        let plain = try folder.read("a")
        #expect(try parse(plain).dlopenNotes(reading: ELFBytes(plain)).notes == [])
    }

    @Test(
        "What is wrong with a note is told, and does not hide the others",
        arguments: [
            ("no JSON", DlopenNoteError.notJSON), (#"["libz.so"]"#, .notAnObject), ("3", .notAnObject),
            (#"[{"feature":"x"}]"#, .noSoname), (#"{"soname":[]}"#, .noSoname), (#"{"soname":["a",1]}"#, .noSoname),
            (#"{"soname":"a"} x"#, .notJSON), (#"{"soname":"a\u0000"}"#, .noSoname),
            (#"{"soname":"\ud800"}"#, .notJSON),
            (String(repeating: "[", count: 99), .notJSON), (#"{"soname":"a",}"#, .notJSON),
        ])
    func damage(text: String, error: DlopenNoteError) throws {
        var builder = ELFBuilder()
        builder.dlopenNotes = [text, #"{"soname":"libz.so"}"#]
        let bytes = builder.build()
        let (notes, errors) = try parse(bytes).dlopenNotes(reading: ELFBytes(bytes))
        #expect(errors == [error])
        #expect(notes == [DlopenNote(sonames: ["libz.so"])])
    }

    @Test("A file cannot make a reader look for libraries without end")
    func manyNames() throws {
        var builder = ELFBuilder()
        let names = Array(repeating: #""a""#, count: 3000).joined(separator: ",")
        builder.dlopenNotes = Array(repeating: #"[{"soname":[\#(names)]}]"#, count: 9)
        let bytes = builder.build()
        let (notes, errors) = try parse(bytes).dlopenNotes(reading: ELFBytes(bytes))
        #expect(notes.count == 1)
        #expect(errors == [.tooMany])
    }

    @Test("No change of bytes makes the reader trap", arguments: 0..<2)
    func mutations(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var builder = ELFBuilder(fileClass: seed == 0 ? .bits64 : .bits32, order: seed == 0 ? .little : .big)
        builder.dlopenNotes = [#"[{"soname":["libx.so.2","\u00e9"],"feature":"x"}]"#, #"{"soname":"libz.so"}"#]
        let original = builder.build()
        var outcomes = (notes: 0, errors: 0)
        for _ in 0..<fuzzRounds {
            var bytes = original
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = Bool.random(using: &generator) ? 0xff : UInt8.random(in: 0...255, using: &generator)
            }
            let source = ELFBytes(bytes)
            guard let (notes, errors) = try? ELFImage(reading: source).dlopenNotes(reading: source) else { continue }
            outcomes.notes += notes.count
            outcomes.errors += errors.count
        }
        #expect(outcomes.notes > 0)
        #expect(outcomes.errors > 0)
    }
}
