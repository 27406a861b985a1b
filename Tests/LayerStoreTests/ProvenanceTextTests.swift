import Bytes
import Foundation
import Testing

@testable import LayerStore

/// The document is written a part at a time, and is what it would be in one piece.
@Suite struct ProvenanceTextTests {
    @Test(arguments: [0, 1, 255, 256, 257, 600]) func partsMakeOneDocument(count: Int) throws {
        let (library, link) = (try TreePath("/c"), try TreePath("/d"))
        let files = try (0..<count).map { index in
            Provenance.Origin(
                path: try TreePath(ByteString("/a/\(index)\"\u{e9}")), source: index % 3 == 0 ? nil : "/b",
                package: index % 2 == 0 ? nil : .init(name: "p", version: "1:2~3", architecture: "all"),
                origin: index % 5 == 0 ? "directory /x" : nil, isGenerated: index % 7 == 0 ? true : nil)
        }
        let edges = files.map {
            Provenance.Edge(from: $0.path, to: library, kind: "needed", name: "n", found: nil, via: [link, link])
        }
        let provenance = Provenance(
            requests: [.init(text: "x", path: link, opened: "/y")], files: files, edges: edges)
        let text = try provenance.json()
        #expect(try text == StoreJSON.encode(provenance, what: "it"))
        #expect(try StoreJSON.decode(Provenance.self, text, what: "it") == provenance)
    }
}
