import Bytes
import Digests
import LayerStore
import Posix
import Synchronization
import Testing
import Trees

@testable import LayerFSKit

/// What is looked at ahead comes in the order in which it was asked for.
struct EntriesThereTests {
    /// Has contents of an even first byte, and fails for one.
    private final class Intake: ContentIntake {
        let asked = Mutex(0)
        let broken: Digest?

        init(broken: Digest? = nil) { self.broken = broken }

        static func has(_ digest: Digest) -> Bool { digest.bytes.first.map { $0 % 2 == 0 } ?? false }

        func areThere(_ contents: [(digest: Digest, size: UInt64)?]) throws(LayerStoreError) -> [Bool] {
            asked.withLock { $0 += contents.count }
            if let broken, contents.contains(where: { $0?.digest == broken }) {
                throw .missingBlob(broken, wantedBy: "a test")
            }
            return contents.map { $0.map { Self.has($0.digest) } ?? false }
        }

        func known(_ states: [SourceFingerprint]) -> [KnownContent?] { [] }
        func stage(
            file path: ByteString, state: SourceState?, known: KnownContent?
        ) throws(LayerStoreError) -> SourceFile { throw .sourceChanges(path) }
        func stage(bytes: [UInt8], mode: UInt16) -> Digest { Digest(hashing: bytes) }
        func lacks(_ digest: Digest, size: UInt64) -> Bool { true }
        func took(_ files: [SourceFile]) {}
    }

    private static func digest(_ number: Int) -> Digest { Digest(hashing: Array("\(number)".utf8)) }

    /// Files of one directory as a walk finds them, a link among them.
    private static func plan(_ count: Int) throws -> PlanEntries {
        let state = SourceState(try Files.status("/"))
        var entries = PlanEntries()
        var files = try PlanEntries.Files(path: TreePath("/d"), source: "/d", rootPath: TreePath("/d"))
        files.files = (0..<count - 1).map { (ByteString("\($0)"), state) }
        entries.append(files, MetadataChange(), .programs)
        entries.append(
            try PlannedEntry(
                TreePath("/l"), .node(.symlink(target: "d"), Metadata(mode: 0o777), source: "/l"), .programs))
        return entries
    }

    @Test(arguments: [(2, 1, 1), (256, 100, 2), (257, 257, 3), (5000, 1024, 1), (5000, 7, 4)])
    func inOrder(count: Int, step: Int, workers: Int) throws {
        let entries = try Self.plan(count)
        let positions = Array(entries.indices.reversed())
        // One in five is not known, and one in seven has attributes, which have to be looked at.
        let known = positions.map { number -> KnownContent? in
            number % 5 == 0 ? nil : KnownContent(digest: Self.digest(number), hasAttributes: number % 7 == 0)
        }
        let intake = Intake()
        let there = EntriesThere(entries, positions, known, intake, WorkerPool(workers: workers), .none)
        var found: [Bool] = []
        while found.count < count { found += try there.next(min(step, count - found.count)) }
        let wanted = positions.map { number in
            number < count - 1 && number % 5 != 0 && number % 7 != 0 && Intake.has(Self.digest(number))
        }
        #expect(found == wanted)
        #expect(intake.asked.withLock { $0 } == (known.contains { $0 != nil } ? count : 0))
    }

    @Test func whatIsKnownNowhereIsNotAskedFor() throws {
        let entries = try Self.plan(1000)
        let intake = Intake()
        let there = EntriesThere(
            entries, Array(entries.indices), Array(repeating: nil, count: 1000), intake, WorkerPool(workers: 2), .none)
        #expect(try there.next(600).allSatisfy { !$0 } && there.next(400).count == 400)
        #expect(intake.asked.withLock { $0 } == 0)
    }

    @Test(arguments: [1, 2]) func whatFailsIsSaid(workers: Int) throws {
        let entries = try Self.plan(1000)
        let known = entries.indices.map { KnownContent(digest: Self.digest($0), hasAttributes: false) }
        let there = EntriesThere(
            entries, Array(entries.indices), known, Intake(broken: Self.digest(700)), WorkerPool(workers: workers),
            .none)
        #expect(try there.next(512).count == 512)
        #expect(throws: LayerStoreError.self) { try there.next(400) }
    }
}
