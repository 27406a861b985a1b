import Bytes
import Digests
import Foundation
import Posix
import Synchronization
import TestSupport
import Testing
import Trees

@testable import LayerStore

/// What the world does to a store: each test is named by the rule that holds then.
struct HazardTests {
    private func run(_ script: String) throws -> Tool.Outcome { try Tool.run("bash", ["-c", script]) }

    private func check(_ store: Store) throws -> IntegrityReport {
        try IntegrityCheck(store, pool: WorkerPool(workers: 1), begin: { _ in }, advance: { _ in }).run()
    }

    /// Runs `body` with a directory that a file system of its own is mounted on.
    private func withMount(_ options: String, _ body: (String) throws -> Void) throws {
        let directory = try TemporaryDirectory()
        let mounted = try run("mount -t tmpfs -o \(options) tmpfs \(directory.path)")
        try #require(mounted.status == 0, "\(mounted.errors)")
        defer { _ = try? run("umount -l \(directory.path)") }
        try body(directory.path)
    }

    private static let canMount: Bool = {
        guard isRoot, let outcome = try? Tool.run("bash", ["-c", "unshare -m mount -t tmpfs tmpfs /mnt"]) else {
            return false
        }
        return outcome.status == 0
    }()

    @Test(.enabled(if: canMount, "mounting needs root"), arguments: ["size=300k", "size=4m,nr_inodes=60"])
    func aFullFileSystemIsAnErrorAndNoDamageAndItsSpaceComesBack(_ options: String) throws {
        try withMount(options) { path in
            let place = ByteString(path + "/store")
            var added = 0
            let failure = #expect(throws: LayerStoreError.self) {
                let store = try Store(place, .adding)
                for number in 0..<200 {
                    try StoreFixture.add(
                        "layer\(number)", ["/f": String(repeating: "\(number) ", count: 2000)], to: store)
                    added += 1
                }
            }
            #expect(failure.map { "\($0)" }?.isEmpty == false)
            let store = try Store(place, .reading)
            // What was reported is there, whole; what was not has no name.
            #expect(try store.references.names(.layer).count == added)
            #expect(try check(store).isSound)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/store/staging").isEmpty)
            _ = consume store
            // Removing needs room for a journal only.
            guard added > 1 else { return }
            let changing = try Store(place, .changing)
            for name in try changing.references.names(.layer) { _ = try changing.remove(name) }
            _ = consume changing
            #expect(try Store(place, .collecting).collectGarbage().blobs.count > 0)
            try StoreFixture.add("again", ["/f": "x"], to: Store(place, .adding))
        }
    }

    @Test(.enabled(if: canMount, "mounting needs root"))
    func aReadOnlyStoreIsReadCheckedAndNeverWritten() throws {
        let fixture = try StoreFixture()
        try StoreFixture.add("a", ["/f": "hello"], to: fixture.open())
        let mounted = try run(
            "mount --bind \(fixture.path) \(fixture.path) && mount -o remount,bind,ro \(fixture.path)")
        try #require(mounted.status == 0, "\(mounted.errors)")
        defer { _ = try? run("umount -l \(fixture.path)") }
        let store = try fixture.open(.reading)
        #expect(try store.diskUsage().names.map(\.name) == ["a"])
        #expect(try check(store).isSound)
        let digest = Digest(hashing: Array("hello".utf8))
        #expect(try store.openContent(digest).readAll(limit: 9) == Array("hello".utf8))
        _ = consume store
        for access in [Store.Access.adding, .changing, .collecting, .reindexing] {
            #expect {
                try fixture.open(access)
            } throws: {
                if case LayerStoreError.readOnly = $0 { true } else { false }
            }
        }
    }

    @Test func aSourceThatIsSwappedForALinkIsNeverFollowed() throws {
        let fixture = try StoreFixture()
        let path = try fixture.file("source", "mine")
        let secret = try fixture.file("secret", "secret")
        let stop = Atomic(false)
        let swapper = Thread {
            let (link, file) = (path.description + ".link", path.description + ".file")
            while !stop.load(ordering: .relaxed) {
                symlink(secret.description, link)
                rename(link, path.description)
                try? Data("mine".utf8).write(to: URL(fileURLWithPath: file))
                rename(file, path.description)
            }
        }
        swapper.start()
        defer { stop.store(true, ordering: .relaxed) }
        let session = try fixture.open().beginAdding()
        let digest = Digest(hashing: Array("mine".utf8))
        for _ in 0..<300 {
            if let file = try? session.stage(file: path) { #expect(file.digest == digest || file.digest == .empty) }
        }
    }

    @Test func clocksThatJumpMakeNoGarbageOfWhatANameReaches() throws {
        let fixture = try StoreFixture()
        try StoreFixture.add("a", ["/f": "1"], to: fixture.open())
        for seconds in [0, 4_102_444_800] {
            for file in try fixture.directory.contents("store/blobs/sha256").filter({ $0.count > 60 }) {
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: Double(seconds))],
                    ofItemAtPath: "\(fixture.path)/blobs/sha256/\(file)")
            }
            for age in [Duration.zero, .seconds(1), .seconds(1 << 40)] {
                #expect(try fixture.open(.collecting).collectGarbage(keepingYoungerThan: age).total.count == 0)
            }
        }
        #expect(try check(fixture.open(.reading)).isSound)
    }

    @Test func addersAndCollectorsInParallelLoseNothing() throws {
        let fixture = try StoreFixture()
        _ = try fixture.open()
        let path = fixture.path
        try WorkerPool(workers: 6).forEach(24) { index in
            if index % 4 == 3 {
                _ = try Store(path, .collecting, patience: .seconds(60)).collectGarbage()
            } else {
                let store = try Store(path, .adding, patience: .seconds(60))
                try StoreFixture.add("keep\(index)", ["/own": "\(index)", "/shared": "shared"], to: store)
                try StoreFixture.add("drop\(index)", ["/drop": "drop \(index % 3)"], to: store)
                _ = try store.remove(Name("drop\(index)"))
            }
        }
        let store = try fixture.open(.reading)
        #expect(try store.references.names(.layer).count == 18)
        #expect(try check(store).isSound)
        _ = consume store
        _ = try fixture.open(.collecting).collectGarbage()
        #expect(try fixture.open(.reading).diskUsage().contents == 19)
        #expect(try fixture.open(.reading).diskUsage().blobs.count == 19 + 2 * 18)
    }
}
