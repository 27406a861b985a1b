import Bytes
import TestSupport
import Testing

@testable import Posix

struct DirectoryTests {
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
