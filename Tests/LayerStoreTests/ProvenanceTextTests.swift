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
            requests: [.init(text: "x", path: link, opened: "/y")],
            directories: count % 2 == 0 ? [] : [.init(path: link, source: "/z\u{e9}", origin: "directory /z")],
            files: files, edges: edges)
        let text = try provenance.json()
        #expect(try text == StoreJSON.encode(provenance, what: "it"))
        #expect(try StoreJSON.decode(Provenance.self, text, what: "it") == provenance)
    }

    @Test(
        arguments: [
            ("/opt/a", "/opt", "/src", "/src/a"), ("/opt/a/b", "/opt", "/src", "/src/a/b"),
            ("/opt", "/opt", "/src", "/src"), ("/a", "/", "/src", "/src/a"), ("/a", "/", "/", "/a"),
            ("/x/a", "/x", "/", "/a"),
        ])
    func aDirectoryTellsWhereItsFilesLay(path: String, directory: String, source: String, expected: String) throws {
        let told = Provenance.Directory(
            path: try TreePath(ByteString(directory)), source: ByteString(source), origin: "directory d")
        let provenance = Provenance(requests: [], directories: [told], files: [], edges: [])
        let origin = Provenance.Origins(provenance)[try TreePath(ByteString(path))]
        #expect((origin?.source ?? origin?.path.bytes) == ByteString(expected) && origin?.origin == "directory d")
    }

    @Test func whatIsSaidOfAFileOrADeeperDirectoryCounts() throws {
        func directory(_ path: String, _ source: ByteString) throws -> Provenance.Directory {
            Provenance.Directory(path: try TreePath(ByteString(path)), source: source, origin: nil)
        }
        let provenance = Provenance(
            requests: [], directories: [try directory("/a", "/1"), try directory("/a/b", "/2")],
            files: [.init(path: try TreePath("/a/b/c"), source: "/3", package: nil)], edges: [])
        let origins = Provenance.Origins(provenance)
        let sources = try ["/a/x", "/a/b/x", "/a/b/c", "/a/bx", "/ab"].map {
            origins[try TreePath(ByteString($0))]?.source
        }
        #expect(sources == ["/1/x", "/2/x", "/3", "/1/bx", nil])
    }
}
