import Bytes
import Foundation
import LayerStore
import Posix
import SystemPackage
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

struct LinkLimitTests {
    /// Makes links of `f` until there are `count` or the file system has no more; whether it had no more.
    private static func link(
        _ count: Int, from source: borrowing OwnedDescriptor, into links: borrowing OwnedDescriptor
    ) throws(SystemError) -> Bool {
        do {
            for number in 0..<count { try links.makeLink(ByteString("\(number)"), to: "f", in: source) }
            return false
        } catch  where error.errno == .tooManyLinks {
            return true
        }
    }

    @Test func aContentWithAllTheLinksItCanHaveIsCopiedAndSaysSo() throws {
        let fixture = try KitFixture()
        let tree = try fixture.add("a", ["/f": .file("a content with many links")])
        _ = try Materialize(fixture.workspace).run(tree, at: fixture.path("first"))
        // Further links of the node that the root shares, until the file system refuses one (ext4: 65,000).
        let source = try Files.open(fixture.path("first"), [.readOnly, .directory])
        try FileManager.default.createDirectory(atPath: "\(fixture.path("links"))", withIntermediateDirectories: false)
        let links = try Files.open(fixture.path("links"), [.readOnly, .directory])
        let isLimited = try Self.link(65_010, from: source, into: links)
        let summary = try Materialize(fixture.workspace).run(tree, at: fixture.path("second"))
        // Other file systems have no limit that could be reached here.
        #expect(summary.copied == (isLimited ? 1 : 0) && summary.linked == (isLimited ? 0 : 1))
        #expect(summary.fallbacks.keys.contains { $0.contains("EMLINK") } == isLimited)
        #expect(try Files.read(fixture.path("second/f"), limit: 100) == Array("a content with many links".utf8))
    }
}
