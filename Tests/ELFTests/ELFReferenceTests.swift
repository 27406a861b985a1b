import Bytes
import ELF
import Foundation
import TestSupport
import Testing

struct ELFReferenceTests {
    @Test(
        "Files of many machines agree with readelf's answers on record",
        .enabled(if: Corpus.isPresent("elf-patchelf"), "needs the shared corpus elf-patchelf"))
    func corpus() throws {
        let rows = Corpus.rows("elf-patchelf", "REFERENCE.tsv").filter { !$0[0].hasSuffix(".gz") }
        try #require(rows.count > 20)
        for row in rows {
            let bytes = try Corpus.file("elf-patchelf", row[0])
            if row[0].hasPrefix("invalid-elf") {
                #expect(throws: ELFError.self, "\(row[0])") { try parse(bytes) }
                continue
            }
            let image = try parse(bytes)
            #expect(row[1].hasPrefix(image.header.fileClass == .bits64 ? "ELF64|" : "ELF32|"), "\(row[0])")
            #expect(row[1].contains(image.header.type == .executable ? "|EXEC" : "|DYN"), "\(row[0])")
            #expect("interp=\(image.interpreter?.description ?? "")" == row[3], "\(row[0])")
            let names = image.dynamic?.needed ?? []
            #expect("needed=\(names.count):\(names.map(\.description).joined(separator: ","))" == row[2], "\(row[0])")
        }
    }

    @Test(
        "Every program of /usr/bin is read as readelf reads it",
        .enabled(if: Tool.isAvailable("readelf"), "needs readelf (binutils)"))
    func programs() throws {
        let folder = "/usr/bin"
        var images: [String: ELFImage] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            let path = folder + "/" + name
            guard let handle = FileHandle(forReadingAtPath: path), let magic = try? handle.read(upToCount: 4),
                Array(magic) == ELFHeader.magic
            else { continue }
            images[path] = try ELFImage(reading: HandleSource(handle: handle))
        }
        try #require(images.count > 50)
        let output = try Tool.run("readelf", ["-hldW"] + images.keys.sorted())
        let answers = ReadelfAnswer.parse(output.lines)
        for (path, image) in images {
            let answer = try #require(answers[path], "\(path)")
            #expect(image.dynamic?.needed.map(\.description) ?? [] == answer.needed, "\(path)")
            #expect(image.interpreter?.description == answer.interpreter, "\(path)")
            #expect(image.dynamic?.soname?.description == answer.soname, "\(path)")
            #expect(image.dynamic?.rpath?.description == answer.rpath, "\(path)")
            #expect(image.dynamic?.runpath?.description == answer.runpath, "\(path)")
            #expect(image.programHeaders.count == answer.programHeaders, "\(path)")
        }
    }

    @Test(
        "Symbol versions are those that readelf lists",
        .enabled(if: Tool.isAvailable("readelf"), "needs readelf (binutils)"),
        arguments: ["/bin/ls", "/usr/bin/env"])
    func versions(path: String) throws {
        let image = try parse(Array(Data(contentsOf: URL(fileURLWithPath: path))))
        let lines = try Tool.run("readelf", ["-VW", path]).lines
        let names = lines.filter { $0.contains("Flags:") && $0.contains("Name:") && !$0.contains("Rev:") }
            .compactMap { $0.components(separatedBy: "Name: ").last?.components(separatedBy: " ").first }
        let found = image.dynamic?.versionNeeds.flatMap(\.versions).map(\.name.description) ?? []
        #expect(found.sorted() == names.sorted())
        #expect(!found.isEmpty)
    }
}

/// An open file, read in pieces.
private struct HandleSource: ELFSource {
    let handle: FileHandle

    func read(at offset: UInt64, count: Int) throws(CocoaError) -> [UInt8] {
        do {
            try handle.seek(toOffset: offset)
            return try Array(handle.read(upToCount: count) ?? Data())
        } catch { throw CocoaError(.fileReadUnknown) }
    }
}

/// What `readelf -hldW` says of one file.
private struct ReadelfAnswer {
    var needed: [String] = []
    var interpreter: String?
    var soname: String?
    var rpath: String?
    var runpath: String?
    var programHeaders = 0

    static func parse(_ lines: [String]) -> [String: ReadelfAnswer] {
        var answers: [String: ReadelfAnswer] = [:]
        var path = ""
        for line in lines {
            // Names end the line, and may hold brackets themselves.
            let bracketed = line.firstIndex(of: "[").flatMap { start in
                line.lastIndex(of: "]").map { String(line[line.index(after: start)..<$0]) }
            }
            if line.hasPrefix("File: ") {
                path = String(line.dropFirst(6))
                answers[path] = ReadelfAnswer()
            } else if line.contains("(NEEDED)"), let bracketed {
                answers[path]?.needed.append(bracketed)
            } else if line.contains("(SONAME)") {
                answers[path]?.soname = bracketed
            } else if line.contains("(RPATH)") {
                answers[path]?.rpath = bracketed
            } else if line.contains("(RUNPATH)") {
                answers[path]?.runpath = bracketed
            } else if let text = bracketed, text.hasPrefix("Requesting program interpreter: ") {
                answers[path]?.interpreter = String(text.dropFirst(32))
            } else if line.contains("Number of program headers:") {
                answers[path]?.programHeaders = Int(line.split(separator: " ").last ?? "") ?? -1
            }
        }
        return answers
    }
}
