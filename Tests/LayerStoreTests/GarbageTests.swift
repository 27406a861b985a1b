import Bytes
import Digests
import Foundation
import Posix
import Synchronization
import TestSupport
import Testing
import Trees

@testable import LayerStore

struct GarbageTests {
    private func collect(
        _ fixture: StoreFixture, keepingYoungerThan age: Duration = .zero, dryRun: Bool = false
    ) throws -> GarbageReport {
        try fixture.open(.collecting).collectGarbage(keepingYoungerThan: age, dryRun: dryRun)
    }

    /// Without the lock file, which says who held the lock last.
    private func snapshot(_ fixture: StoreFixture) throws -> [String: Digest] {
        try fixture.snapshot().filter { $0.key != "lock" }
    }

    private func image(_ name: String, of layer: String, in store: Store) throws {
        let record = try #require(try store.references.digest(of: Name(layer), .layer))
        let image = ImageRecord(
            created: "1970-01-01T00:00:00Z", expression: layer, layers: [.init(name: layer, record: record)],
            onConflict: .error, entries: 2, size: 1, settings: ImageSettings())
        _ = try store.beginAdding().commit(image: Name(name), image, replacing: false)
    }

    @Test func whatNamesReachStaysAndTheRestGoes() throws {
        let fixture = try StoreFixture()
        try StoreFixture.add("kept", ["/shared": "shared", "/kept": "kept"], to: fixture.open())
        let expected = try snapshot(fixture)
        try StoreFixture.add("gone", ["/shared": "shared", "/gone": "gone"], to: fixture.open())
        try StoreFixture.add("replaced", ["/f": "old"], to: fixture.open())
        _ = try StoreFixture.add("replaced", ["/f": "kept"], to: fixture.open(), replacing: true)
        for name in ["gone", "replaced"] { _ = try fixture.open(.changing).remove(Name(name)) }
        let all = try snapshot(fixture)
        let dry = try collect(fixture, dryRun: true)
        #expect(try snapshot(fixture) == all)
        let report = try collect(fixture)
        #expect(try snapshot(fixture) == expected)
        // Two contents, and trees and records of three states.
        #expect(report.blobs.count == 8 && report.blobs == dry.blobs && report.live == 4)
        #expect(try collect(fixture).total.count == 0)
    }

    @Test func anImageKeepsTheLayersThatLostTheirNames() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        try StoreFixture.add("a", ["/f": "1"], to: store)
        try image("i", of: "a", in: store)
        _ = try store.remove(Name("a"))
        _ = consume store
        #expect(try collect(fixture).total.count == 0)
        let reopened = try fixture.open(.changing)
        _ = try reopened.remove(Name("i"))
        _ = consume reopened
        #expect(try collect(fixture).blobs.count == 4)
        #expect(try fixture.open().diskUsage().contents == 0)
    }

    @Test func anythingThatANameReachesAndCannotBeReadStopsTheCollectionBeforeIt() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        try StoreFixture.add("a", ["/f": "1"], to: store)
        try image("i", of: "a", in: store)
        try StoreFixture.add("b", ["/f": "2"], to: store)
        let record = try #require(try store.references.digest(of: Name("a"), .layer))
        let documents = try [
            record, store.layerRecord(record).treeDocuments[0],
            #require(try store.references.digest(of: Name("i"), .image)),
        ]
        _ = try store.remove(Name("b"))
        _ = consume store
        for digest in documents {
            let path = "\(fixture.path)/blobs/sha256/\(BlobPath.of(digest))"
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            for damaged in [nil, Data(bytes.dropLast())] {
                try FileManager.default.removeItem(atPath: path)
                if let damaged { try damaged.write(to: URL(fileURLWithPath: path)) }
                let before = try snapshot(fixture)
                #expect(throws: LayerStoreError.self) { try collect(fixture) }
                #expect(try snapshot(fixture) == before)
                try bytes.write(to: URL(fileURLWithPath: path))
            }
        }
        // A reference that a newer program wrote is not overlooked.
        let strange = URL(fileURLWithPath: "\(fixture.path)/refs/layers/+strange")
        try Data("x".utf8).write(to: strange)
        #expect(throws: LayerStoreError.self) { try collect(fixture) }
        try FileManager.default.removeItem(at: strange)
        #expect(try collect(fixture).blobs.count == 3)
    }

    @Test func rootsOnDiskStayAndTheirFilesFreeNothing() throws {
        let fixture = try StoreFixture()
        try StoreFixture.add("a", ["/f": "linked", "/g": "alone"], to: fixture.open())
        let blob = "\(fixture.path)/blobs/sha256/\(BlobPath.of(Digest(hashing: Array("linked".utf8))))"
        let link = fixture.directory.path + "/f"
        try FileManager.default.linkItem(atPath: blob, toPath: link)
        let allocated = try Files.status(ByteString(link)).allocated
        _ = try fixture.open(.changing).remove(Name("a"))
        let dry = try collect(fixture, dryRun: true)
        let report = try collect(fixture)
        #expect(report.blobs == dry.blobs)
        #expect(report.blobs.count == 4 && report.blobs.freed == 3 * allocated)
        #expect(try String(contentsOfFile: link, encoding: .utf8) == "linked")
    }

    @Test func nodesStagingAndCacheOfWhatIsGoneGoToo() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        try StoreFixture.add("a", ["/f": "hello"], to: store)
        try StoreFixture.add("b", ["/f": "other"], to: store)
        let digests = ["hello", "other"].map { Digest(hashing: Array($0.utf8)) }
        for digest in digests {
            _ = try NodeStore(store).node(for: digest, size: 5, metadata: Metadata(mode: 0o700), exactTime: false)
            try Data("x".utf8).write(to: URL(fileURLWithPath: "\(fixture.path)/cache/\(digest.hexadecimal).gz"))
        }
        _ = try store.remove(Name("a"))
        _ = consume store
        let dead = "\(fixture.path)/staging/1-2/root"
        try FileManager.default.createDirectory(atPath: dead, withIntermediateDirectories: true)
        // A link in the scratch root of a killed `run` keeps no content alive.
        let blob = "\(fixture.path)/blobs/sha256/\(BlobPath.of(digests[0]))"
        try FileManager.default.linkItem(atPath: blob, toPath: dead + "/f")
        let dry = try collect(fixture, dryRun: true)
        let report = try collect(fixture)
        // No entry wants the node of the content that stays either.
        #expect(report.nodes.count == 2 && report.cache.count == 1 && report.staging.count == 1)
        #expect(report.total == dry.total)
        #expect(try fixture.directory.contents("store/staging").isEmpty)
        #expect(
            try fixture.directory.contents("store/cache").sorted()
                == ["\(digests[1].hexadecimal).gz", "layers"].sorted())
    }

    @Test func aCacheThatSomebodyDeletedIsMadeAgain() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        try StoreFixture.add("a", ["/f": "hello"], to: store)
        let cache = "\(fixture.path)/cache"
        try FileManager.default.removeItem(atPath: cache)
        // A descriptor cannot be copied, as what is expected is.
        let isThere = store.cacheDirectory("layers") != nil
        #expect(isThere)
        _ = consume store
        try FileManager.default.removeItem(atPath: cache)
        #expect(try collect(fixture, dryRun: true).total.count == 0)
        #expect(!FileManager.default.fileExists(atPath: cache))
        #expect(try collect(fixture).total.count == 0)
    }

    @Test func theYoungStayByTheFileSystemsClock() throws {
        let fixture = try StoreFixture()
        // A content as old as the epoch by its own time, yet new to the store.
        try StoreFixture.add("a", ["/f": "1"], to: fixture.open())
        _ = try fixture.open(.changing).remove(Name("a"))
        let kept = try collect(fixture, keepingYoungerThan: .seconds(3600))
        #expect(kept.total.count == 0 && kept.young == 3)
        #expect(try collect(fixture).blobs.count == 3)
    }

    @Test func whoeverUsesTheStoreIsWaitedForAndNamed() throws {
        let fixture = try StoreFixture()
        let user = try fixture.open()
        func refusal(_ access: Store.Access) throws -> String {
            do {
                _ = try Store(fixture.path, access, patience: .zero)
            } catch LayerStoreError.busy(_, let holder) {
                return holder
            }
            return ""
        }
        #expect(try !refusal(.collecting).isEmpty)
        _ = consume user
        let collector = try fixture.open(.collecting)
        // As written into the lock file, the process and its command.
        for access in [Store.Access.reading, .adding, .changing, .collecting] {
            #expect(try refusal(access).contains("(process \(CurrentProcess.identifier))"))
        }
        _ = consume collector
        _ = try fixture.open(.reading)
    }

    @Test func aNodeThatNoEntryWantsAnyMoreIsRemovedThoughItsContentStays() throws {
        let fixture = try StoreFixture()
        let digest = Digest(hashing: Array("shared".utf8))
        try StoreFixture.add("plain", ["/f": "shared"], to: fixture.open())
        try StoreFixture.add("program", ["/f": "shared"], to: fixture.open(), mode: 0o755)
        for mode in [UInt16(0o755), 0o500] {
            let metadata = Metadata(mode: mode, modified: Timestamp(seconds: 1_000))
            _ = try NodeStore(fixture.open()).node(for: digest, size: 6, metadata: metadata, exactTime: mode == 0o755)
        }
        // Nobody ever wanted the second of them.
        #expect(try fixture.open(.collecting).collectGarbage().nodes.count == 1)
        #expect(try fixture.open(.reading).diskUsage().nodes.count == 1)
        _ = try fixture.open(.changing).remove(Name("program"))
        #expect(try fixture.open(.collecting).collectGarbage().nodes.count == 1)
        #expect(try fixture.open(.reading).blobs.size(of: digest) == 6)
    }

    @Test func aStreamOfReadersDoesNotKeepACollectorWaitingForEver() throws {
        let fixture = try StoreFixture()
        try StoreFixture.add("a", ["/f": "1"], to: fixture.open())
        let isDone = Atomic(false)
        let path = fixture.path
        // There is hardly a moment at which none of them has the store open.
        try WorkerPool(workers: 6).forEach(6) { index in
            if index == 5 {
                _ = try Store(path, .collecting, patience: .seconds(120)).collectGarbage()
                isDone.store(true, ordering: .relaxed)
            }
            while !isDone.load(ordering: .relaxed) {
                let store = try Store(path, .reading, patience: .seconds(120))
                usleep(40_000)
                _ = consume store
            }
        }
    }
}
