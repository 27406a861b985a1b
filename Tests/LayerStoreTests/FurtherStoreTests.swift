import Bytes
import Digests
import Foundation
import Posix
import TestSupport
import Testing
import Trees

@testable import LayerStore

/// Stores in which contents and names are looked up that the store itself lacks.
struct FurtherStoreTests {
    let own: StoreFixture
    let shared: StoreFixture
    private let text = String(repeating: "of the base ", count: 100)
    private var content: Digest { Digest(hashing: Array(text.utf8)) }

    /// The shared store has the layer `base`.
    init() throws {
        own = try StoreFixture()
        shared = try StoreFixture()
        try StoreFixture.add("base", ["/base": text, "/both": "both"], to: shared.open())
    }

    private func open(_ access: Store.Access = .adding) throws -> Store {
        try Store(StorePaths(own.path, further: [shared.path]), access)
    }

    private func check(_ access: Store.Access = .reading) throws -> IntegrityReport {
        try IntegrityCheck(open(access), pool: WorkerPool(workers: 1), begin: { _ in }, advance: { _ in }).run()
    }

    @Test func contentsThatAFurtherStoreHasAreNotCopied() throws {
        let before = try shared.snapshot()
        try StoreFixture.add("mine", ["/m": text, "/n": "mine"], to: open())
        #expect(try own.open(.reading).blobs.size(of: content) == nil)
        #expect(try open(.reading).blobs.size(of: content) == UInt64(text.utf8.count))
        // Its own: "mine", a tree and a record.
        #expect(try own.open(.reading).diskUsage().blobs.count == 3)
        #expect(try shared.snapshot() == before)
        let report = try check()
        #expect(report.isSound && report.elsewhere == 1 && report.blobs == 3)
    }

    @Test func namesAreLookedUpInOrderAndOnesOwnComesFirst() throws {
        _ = try open()
        let base = try #require(try open(.reading).lookUp(Name("base")))
        #expect(base.kind == .layer)
        #expect(try open(.reading).namedRecords().map(\.store) == [shared.path])
        try StoreFixture.add("base", ["/other": "other"], to: open())
        #expect(try open(.reading).lookUp(Name("base"))?.record != base.record)
        #expect(try open(.reading).namedRecords().map(\.store) == [nil])
        _ = try open(.changing).remove(Name("base"))
        #expect(try open(.reading).lookUp(Name("base"))?.record == base.record)
    }

    @Test func aNameOfAFurtherStoreIsNotRemoved() throws {
        _ = try open()
        #expect {
            try open(.changing).remove(Name("base"))
        } throws: {
            if case LayerStoreError.nameElsewhere("base", shared.path) = $0 { true } else { false }
        }
    }

    @Test func imagesOfLayersThereAreIndexedCheckedAndKept() throws {
        let store = try open()
        let base = try #require(try store.lookUp(Name("base")))
        let record = ImageRecord(
            created: "1970-01-01T00:00:00Z", expression: "base",
            layers: [ImageRecord.Layer(name: "base", record: base.record, group: nil)], onConflict: .error, entries: 3,
            size: 4, settings: ImageSettings())
        _ = try store.beginAdding().commit(image: Name("image"), record, replacing: false)
        _ = consume store
        try #expect(open(.collecting).collectGarbage().total.count == 0)
        _ = try open(.reindexing)
        #expect(try open(.reading).diskUsage().names.map(\.name) == ["image"])
        let report = try check()
        // The record and the tree of `base`, and its two contents.
        #expect(report.isSound && report.elsewhere == 4, "\(report)")
    }

    @Test func aFurtherStoreThatIsGoneIsNamedWithWhatItHad() throws {
        try StoreFixture.add("mine", ["/m": text, "/n": "mine"], to: open())
        try FileManager.default.removeItem(atPath: "\(shared.path)")
        let store = try open(.reading)
        #expect(store.absentStores == [shared.path])
        #expect {
            try store.openContent(content).readAll(limit: 1 << 20)
        } throws: {
            guard case LayerStoreError.blobElsewhere(content, _, [shared.path]) = $0 else { return false }
            return "\($0)".contains("\(content)") && "\($0)".contains("\(shared.path)")
        }
        _ = consume store
        let report = try check()
        #expect(report.damages.map(\.kind) == [.missing])
        #expect(report.damages.first?.layers == ["mine"] && report.damages.first?.paths.map(\.path) == ["/m"])
        #expect(report.damages.first?.detail.contains("\(shared.path)") == true)
        // Nothing is taken for garbage, and what is left can be used and added to.
        try #expect(open(.collecting).collectGarbage().total.count == 0)
        try StoreFixture.add("more", ["/o": "more"], to: open())
    }

    @Test func garbageIsCollectedOnlyInTheStoreItself() throws {
        try StoreFixture.add("gone", ["/g": "gone"], to: shared.open())
        _ = try shared.open(.changing).remove(Name("gone"))
        try StoreFixture.add("mine", ["/n": "mine"], to: open())
        _ = try open(.changing).remove(Name("mine"))
        let before = try shared.snapshot()
        #expect(try open(.collecting).collectGarbage().blobs.count == 3)
        #expect(try shared.snapshot() == before)
    }

    @Test func aDamagedContentThereIsNotReliedOnAndReplacedByOnesOwn() throws {
        let file = "\(shared.path)/blobs/sha256/\(BlobPath.of(content))"
        try StoreFixture.add("mine", ["/m": text], to: open())
        try Tool.succeed("sh", ["-c", "chmod 644 '\(file)'; printf X | dd of='\(file)' conv=notrunc status=none"])
        let report = try check()
        #expect(report.damages.map(\.place) == [file] && report.damages.first?.layers == ["mine"])
        // Adding it again brings a good copy, which comes first.
        try StoreFixture.add("again", ["/m": text], to: open())
        #expect(try check().isSound)
        #expect(try shared.open(.reading).blobs.size(of: content) == UInt64(text.utf8.count))
    }

    @Test func aDamagedContentOfOnesOwnIsRepairedFromThere() throws {
        try StoreFixture.add("mine", ["/m": text], to: own.open())
        let file = "\(own.path)/blobs/sha256/\(BlobPath.of(content))"
        try Tool.succeed("sh", ["-c", "chmod 644 '\(file)'; printf X | dd of='\(file)' conv=notrunc status=none"])
        #expect(try repair(check(.collecting)).isSound)
        #expect(try check().isSound)
    }

    private func repair(_ report: IntegrityReport) throws -> IntegrityReport {
        let repair = try StoreRepair(open(.collecting), report)
        try repair.searchFurtherStores()
        return try repair.finish(report)
    }

    @Test func nothingThereIsRemovedWhileItIsRead() throws {
        _ = try own.open()
        let store = try open(.reading)
        #expect {
            try Store(shared.path, .collecting, patience: .zero)
        } throws: {
            if case LayerStoreError.busy = $0 { true } else { false }
        }
        _ = consume store
        _ = try Store(shared.path, .collecting, patience: .zero)
    }

    @Test func aStoreThatIsNamedTwiceIsOpenedOnce() throws {
        let paths = StorePaths(own.path, further: [own.path, shared.path, shared.path])
        _ = try own.open()
        #expect(try Store(paths, .collecting).further.count == 1)
    }

    @Test func aFurtherStoreThatSomebodyElseCouldHaveWrittenIsRefused() throws {
        _ = try own.open()
        try Tool.succeed("chmod", ["777", "\(shared.path)"])
        #expect {
            try open(.reading)
        } throws: {
            if case LayerStoreError.untrusted(shared.path, _) = $0 { true } else { false }
        }
    }
}
