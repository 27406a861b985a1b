import Bytes
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Posix

struct DirectoryTests {
    @Test(arguments: [0, 1, 3_000]) func allNamesOfADirectoryAreReadOnce(_ count: Int) throws {
        let directory = try TemporaryDirectory()
        let names = (0..<count).map { "\($0) \(String(repeating: "x", count: $0 % 200))" } + ["...", ".hidden"]
        for name in names { _ = FileManager.default.createFile(atPath: directory.path + "/" + name, contents: nil) }
        let opened = try Files.open(ByteString(directory.path), [.readOnly, .directory])
        let expected = names.map { ByteString($0) }.sorted()
        #expect(try opened.remainingNames().map(\.name).sorted() == expected)
        #expect(try opened.remainingNames().isEmpty)
        // By a descriptor of its own.
        for _ in 0..<2 { #expect(try opened.names().map(\.name).sorted() == expected) }
        let file = try Files.open(ByteString(directory.path + "/.hidden"), .readOnly)
        #expect { try file.remainingNames() } throws: { ($0 as? SystemError)?.errno == .notDirectory }
    }

    @Test(
        "subdirectories are spread where the file system knows how",
        .enabled(if: Tool.isAvailable("lsattr"), "no lsattr"))
    func spreading() throws {
        let scratch = try TemporaryDirectory()
        let directory = try Files.open(ByteString(scratch.path), [.readOnly, .directory])
        let isTaken = directory.spreadSubdirectories()
        let listed = try Tool.run("lsattr", ["-d", scratch.path])
        let attributes = String(decoding: listed.output, as: UTF8.self).prefix { $0 != " " }
        #expect(attributes.contains("T") == isTaken, "\(attributes) \(listed.errors)")
        try directory.makeDirectory("a")
        let isMade = try directory.contains("a")
        #expect(isMade)
    }
}
