import Bytes
import Digests
import Posix
import Synchronization
import TestSupport
import Testing
import Trees

@testable import LayerStore

/// Of very many contents that a new store takes, those that wait no more rest in the staging area until all get their names.
struct RestingTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    private static func text(_ number: Int) -> String { "content \(number)" }
    private static func digest(_ number: Int) -> Digest { Digest(hashing: Array(text(number).utf8)) }

    /// A session with contents of which 40 rest, and others wait.
    private func begin(_ store: Store) throws -> StoreSession {
        let session = try StoreSession(store, batchSize: 20)
        for start in stride(from: 0, to: 50, by: 10) {
            try session.took(
                (start..<(start + 10)).map { try session.stage(file: fixture.file("f\($0)", Self.text($0))) })
        }
        try session.awaitDeparture()
        #expect(try (0..<40).allSatisfy { try session.resting.status(of: Self.digest($0), in: session.staging) != nil })
        #expect(try session.resting.status(of: Self.digest(40), in: session.staging) == nil)
        return session
    }

    private func commit(_ session: StoreSession, _ expected: CommitOutcome = .created) throws {
        let files = Dictionary(uniqueKeysWithValues: (0..<50).map { ("/f\($0)", Self.text($0)) })
        let tree = try StoreFixture.tree(files, in: session)
        let outcome = try session.commit(
            layer: Name("many"), tree: tree, provenance: nil, source: "test", created: "1970-01-01T00:00:00Z",
            platform: nil, diffID: DiffID(.empty), replacing: false)
        #expect(outcome == expected)
    }

    private func expectAll() throws {
        do {
            let store = try fixture.open()
            let index = try #require(store.writableIndex)
            let recorded = try index.read("read") { try InodeFingerprint.all($0) }
            for number in 0..<50 {
                let status = try #require(try store.blobs.status(of: Self.digest(number)))
                #expect(recorded[Self.digest(number)] == InodeFingerprint(status))
            }
        }
        let report = try IntegrityCheck(
            fixture.open(.reading), pool: WorkerPool(workers: 2), begin: { _ in }, advance: { _ in }
        ).run()
        #expect(report.damages.isEmpty)
        #expect(try fixture.open(.collecting).collectGarbage().blobs.count == 0)
    }

    /// What happens while they rest.
    enum Event: CaseIterable {
        case nothing, directoriesAreMade, contentsAreStored, aDamagedOneIsThere, somethingCannotBeForgotten
    }

    @Test(arguments: Event.allCases) func whatRestsGetsItsName(_ event: Event) throws {
        do {
            let store = try fixture.open()
            let session = try begin(store)
            var others: [Int: FileIdentity] = [:]
            switch event {
            case .nothing: break
            case .directoriesAreMade:
                for number in 0..<50 {
                    try store.directory.blobs.ensureDirectory(ContentPublisher.shard(Self.digest(number)))
                }
            case .contentsAreStored:
                for number in [1, 20, 39, 45] {
                    try StoreFixture.add("other\(number)", ["/f": Self.text(number)], to: fixture.open())
                    others[number] = try store.blobs.status(of: Self.digest(number))?.identity
                }
            case .aDamagedOneIsThere:
                try store.directory.blobs.ensureDirectory(ContentPublisher.shard(Self.digest(7)))
                try store.directory.blobs.open(BlobPath.of(Self.digest(7)), [.writeOnly, .create], mode: 0o644)
                    .writeAll(Array("torn".utf8))
            case .somethingCannotBeForgotten: session.staging.discard("ab/cd")
            }
            try commit(session)
            for (number, identity) in others {
                #expect(try store.blobs.status(of: Self.digest(number))?.identity == identity)
            }
        }
        try expectAll()
    }

    /// Where a name stands for the layer already, what the store has lost is given back.
    @Test func whatWasLostIsThereAgain() throws {
        do {
            let store = try fixture.open()
            try commit(begin(store))
            for number in 0..<50 { try store.directory.blobs.removeTree(ContentPublisher.shard(Self.digest(number))) }
        }
        do {
            let store = try fixture.open()
            try commit(begin(store), .unchanged)
        }
        try expectAll()
    }

    @Test func largeContentsRestToo() throws {
        let store = try fixture.open()
        let session = try StoreSession(store, batchSize: 1)
        let text = String(repeating: "a", count: ContentCopy.smallSize + 1)
        let file = try session.stage(file: fixture.file("large", text))
        try session.took([file])
        try session.awaitDeparture()
        #expect(try session.resting.status(of: file.digest, in: session.staging)?.size == file.size)
        #expect(try store.blobs.size(of: file.digest) == nil)
        try session.publish()
        #expect(try store.blobs.size(of: file.digest) == file.size)
        #expect(session.resting.shards.isEmpty)
    }

    @Test func whatCannotBeNamedIsSaidEachTime() throws {
        let store = try fixture.open()
        let session = try begin(store)
        let shard = store.directory.path + "/blobs/sha256/" + ContentPublisher.shard(Self.digest(3))
        try Files.open(shard, [.writeOnly, .create, .exclusive], mode: 0o644).writeAll(Array("in the way".utf8))
        for _ in 0..<2 { #expect(throws: LayerStoreError.self) { try session.publish() } }
    }

    /// Digests that differ, and that a bit for each cannot tell apart.
    private static let alike = (0..<2).map { last in Digest(bytes: [UInt8](repeating: 7, count: 31) + [last]) }

    @Test func whatOnlyLooksAsIfItRestedIsLookedFor() throws {
        let (first, second) = (try #require(Self.alike[0]), try #require(Self.alike[1]))
        let staging = try StagingArea(fixture.open().directory)
        let resting = RestingContents()
        #expect(!resting.mayContain(first))
        resting.add([first])
        _ = try staging.write([1], to: BlobPath.of(first), mode: 0o644, modified: nil)
        #expect(resting.mayContain(second))
        #expect(try resting.status(of: first, in: staging)?.size == 1)
        #expect(try resting.status(of: second, in: staging) == nil)
        // A file there that is being written, and may be forgotten again, does not rest.
        #expect(resting.begin(second) && !resting.begin(second))
        _ = try staging.write([1], to: BlobPath.of(second), mode: 0o644, modified: nil)
        #expect(try resting.status(of: second, in: staging) == nil)
        resting.end(second)
        #expect(try resting.status(of: second, in: staging)?.size == 1)
        resting.removeAll()
        #expect(!resting.mayContain(first) && resting.shards.isEmpty)
    }

    /// Threads take the same contents while these leave, one batch after the other.
    @Test func nothingIsLostBetweenThreads() throws {
        let store = try fixture.open()
        let session = try StoreSession(store, batchSize: 8)
        let paths = try (0..<400).map { try fixture.file("f\($0)", Self.text($0 * 7 % 60)) }
        let copied = Mutex<[Digest]>([])
        let work = OrderedWork<[SourceFile], any Error>(threads: 4)
        for start in stride(from: 0, to: paths.count, by: 5) {
            work.add {
                let files = try (start..<(start + 5)).map { try session.stage(file: paths[$0]) }
                copied.withLock { $0 += files.lazy.filter(\.wasCopied).map(\.digest) }
                return files
            }
        }
        while let files = try work.next() { try session.took(files) }
        try session.publish()
        #expect(copied.withLock { $0.count } == 60 && Set(copied.withLock { $0 }).count == 60)
        for number in 0..<60 {
            #expect(try store.blobs.size(of: Self.digest(number)) == UInt64(Self.text(number).utf8.count))
        }
        #expect(try session.staging.directory.names().allSatisfy { $0.name.count == 2 })
    }
}
