import Bytes
import CZstd
import Digests
import Foundation
import Posix
import TestSupport
import Testing
import Trees

@testable import LayerStore

struct TreePartsTests {
    /// A tree of `count` files in directories of fifty; `changed` is one of them that has another content.
    private static func tree(_ count: Int, changed: Int? = nil, attributeSize: Int = 0) throws -> Tree {
        var entries = [Entry(path: .root, metadata: Metadata(mode: 0o755), kind: .directory)]
        for number in 0..<count {
            let directory = try TreePath(ByteString("/directory\(1000 + number / 50)"))
            if number % 50 == 0 {
                entries.append(Entry(path: directory, metadata: Metadata(mode: 0o755), kind: .directory))
            }
            let text = "\(number)\(number == changed ? " changed" : "")"
            var attributes: [ExtendedAttribute] = []
            if attributeSize > 0 {
                attributes = [
                    ExtendedAttribute(name: "user.x", value: ByteString([UInt8](repeating: 120, count: attributeSize)))
                ]
            }
            entries.append(
                Entry(
                    path: directory.appending(ByteString("file\(number)")),
                    metadata: Metadata(mode: 0o644, extendedAttributes: attributes),
                    kind: .file(digest: Digest(hashing: Array(text.utf8)), size: UInt64(text.utf8.count))))
        }
        return try Tree(entries)
    }

    /// The parts of a dump that is written `size` bytes at a time, as text and compressed.
    private static func parts(_ lines: [[UInt8]], perWrite count: Int) throws -> [(text: [UInt8], bytes: [UInt8])] {
        let time = DumpTime(Timestamp(seconds: 0))
        let (writer, reader) = (try TreePartWriter(time), try TreePartReader(time.text))
        var parts: [(text: [UInt8], bytes: [UInt8])] = []
        func take(_ bytes: [UInt8]) throws {
            var text: [UInt8] = []
            try reader.read(bytes) { text += $0 }
            parts.append((text, bytes))
        }
        for start in stride(from: 0, to: lines.count, by: count) {
            let piece = lines[start..<min(start + count, lines.count)].flatMap { $0 }
            try piece.withUnsafeBytes { try writer.write($0, take) }
        }
        try writer.finish(take)
        return parts
    }

    private static func lines(_ tree: Tree) -> [[UInt8]] {
        TreeDump.encode(tree).split(separator: UInt8(ascii: "\n")).map { Array($0) + [UInt8(ascii: "\n")] }
    }

    @Test(arguments: [(0, 0), (1, 0), (100, 0), (3000, 0), (40, 30_000)])
    func aDumpIsCutIntoWholeLinesWhereverItsPiecesEnd(_ count: Int, _ attributeSize: Int) throws {
        let lines = Self.lines(try Self.tree(count, attributeSize: attributeSize))
        let whole = try Self.parts(lines, perWrite: lines.count)
        #expect(whole.flatMap(\.text) == lines.flatMap { $0 })
        let longest = lines.map(\.count).max() ?? 0
        for part in whole {
            #expect(part.text.last == UInt8(ascii: "\n") && part.text.count <= 128 << 10 + longest)
        }
        #expect(whole.dropLast().allSatisfy { $0.text.count >= 16 << 10 })
        for perWrite in [1, 7, 400] {
            #expect(try Self.parts(lines, perWrite: perWrite).map(\.bytes) == whole.map(\.bytes))
        }
    }

    /// However many parts there are, and however large they are.
    @Test(arguments: [(0, 0), (100, 0), (3000, 0), (9000, 0), (40, 30_000), (12, 300_000)])
    func aTreeIsReadAsItWasWritten(_ count: Int, _ attributeSize: Int) throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let session = try store.beginAdding()
        let tree = try Self.tree(count, attributeSize: attributeSize)
        let staged = try session.stage(tree)
        _ = try session.publish()
        #expect(try store.tree(staged.digest, in: staged.parts, time: staged.time) == tree)
        guard staged.parts.count > 4 else { return }
        // Each part is good by itself.
        for parts in [staged.parts.reversed(), Array(staged.parts.dropLast()), staged.parts + [staged.parts[0]]] {
            #expect(throws: LayerStoreError.self) { try store.tree(staged.digest, in: parts, time: staged.time) }
        }
    }

    @Test func treesThatDifferInOneFileShareAllPartsButThatOne() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        func parts(_ tree: Tree) throws -> [Digest] { try store.beginAdding().stage(tree).parts }
        let original = try parts(Self.tree(3000))
        #expect(original.count > 5)
        for changed in [0, 1234, 2999] {
            let other = try parts(Self.tree(3000, changed: changed))
            #expect(other.count == original.count)
            #expect(zip(other, original).count { $0 != $1 } == 1)
        }
        let longer = try parts(Self.tree(3050))
        #expect(Set(longer).subtracting(original).count <= 2)
    }

    @Test func treesThatDifferInTheTimeOfTheirNewestFileShareAllOtherParts() throws {
        let fixture = try StoreFixture()
        let session = try fixture.open().beginAdding()
        func staged(_ time: Int64) throws -> StagedTree {
            var entries = try Self.tree(3000).entries
            for position in entries.indices where entries.isDirectory(at: position) || position == entries.count - 1 {
                entries.setModified(Timestamp(seconds: time), at: position)
            }
            return try session.stage(Tree(entries))
        }
        let (first, second) = (try staged(1_700_000_000), try staged(10))
        #expect(first.parts == second.parts && first.parts.count > 5)
        #expect(first.digest != second.digest && [first.time, second.time] == ["1700000000.0", "10.0"])
    }

    /// What a program that kept no time apart made is read as it is, and goes on beside what is made now.
    @Test func partsWithoutMarksAreReadAsTheyAre() throws {
        let fixture = try StoreFixture()
        let (store, record) = try store(fixture)
        let session = try store.beginAdding()
        var old = record
        let tree = try store.tree(of: record)
        // No line has this time.
        let writer = try TreePartWriter(DumpTime(Timestamp(seconds: 77)))
        var parts: [Digest] = []
        try TreeDump.encode(tree).withUnsafeBytes { lines in
            try writer.write(lines) { parts.append(try session.stage(bytes: $0)) }
        }
        try writer.finish { parts.append(try session.stage(bytes: $0)) }
        (old.treeParts, old.treeTime, old.schemaVersion) = (parts, nil, 2)
        let digest = try session.stage(bytes: StoreJSON.encode(old, what: "test"))
        _ = try session.publish()
        #expect(parts != record.treeParts)
        #expect(try store.layerRecord(digest) == old)
        #expect(try store.tree(of: old) == tree)
    }

    @Test(arguments: [("", 3), ("1.0 ", 3), (String(repeating: "1", count: 33), 3), ("1.0", 2), ("1.0", 4)])
    func aRecordWithATimeThatIsNoneOrAnotherVersionIsRefused(_ time: String, _ version: Int) throws {
        let fixture = try StoreFixture()
        var (store, record) = try store(fixture)
        (record.treeTime, record.schemaVersion) = (time, version)
        let session = try store.beginAdding()
        let digest = try session.stage(bytes: StoreJSON.encode(record, what: "test"))
        _ = try session.publish()
        store = try fixture.open(.reading)
        let error = #expect(throws: LayerStoreError.self) { try store.tree(of: store.layerRecord(digest)) }
        guard case .damagedRecord? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// A store with the layer `a` of a tree in several parts.
    private func store(_ fixture: StoreFixture) throws -> (store: Store, record: LayerRecord) {
        let store = try fixture.open()
        let session = try store.beginAdding()
        let files = (0..<4000).map { ("/directory\($0 / 50)/file\($0)", "\($0)") }
        let tree = try StoreFixture.tree(Dictionary(uniqueKeysWithValues: files), in: session)
        _ = try session.commit(
            layer: Name("a"), tree: tree, provenance: nil, source: "test", created: "1970-01-01T00:00:00Z",
            platform: nil, diffID: DiffID(.empty), replacing: false)
        let record = try store.layerRecord(#require(try store.references.digest(of: Name("a"), .layer)))
        #expect(try store.tree(of: record) == tree)
        return (store, record)
    }

    @Test(.enabled(if: Tool.isAvailable("zstd"))) func ordinaryToolsReadATree() throws {
        let fixture = try StoreFixture()
        let record = try store(fixture).record
        let parts = try #require(record.treeParts)
        let time = try #require(record.treeTime)
        #expect(parts.count > 1 && record.schemaVersion == 3)
        let files = parts.map { "\(fixture.path)/blobs/sha256/\(BlobPath.of($0))" }
        let text = try Tool.succeed(
            "sh",
            ["-c", #"time=$1; shift; cat "$@" | zstd -dc | sed "s/\x01/$time/g" | sha256sum"#, "sh"] + [time] + files)
        #expect(text.text.hasPrefix(record.tree.hexadecimal))
    }

    enum Damage: String, CaseIterable, Sendable {
        case flipped, cut, empty, missing, noZstd, sizeNotTold, hugeSize, twoFrames, otherText
    }

    private static func compress(_ text: [UInt8], tellingSize: Bool = true) -> [UInt8] {
        let context = ZSTD_createCCtx()
        defer { ZSTD_freeCCtx(context) }
        ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, tellingSize ? 1 : 0)
        var output = [UInt8](repeating: 0, count: ZSTD_compressBound(text.count))
        let count = ZSTD_compress2(context, &output, output.count, text, text.count)
        return Array(output[..<count])
    }

    @Test(arguments: Damage.allCases, [0, 1])
    func damageOfAPartIsToldAsThat(_ damage: Damage, _ position: Int) throws {
        let fixture = try StoreFixture()
        let (store, record) = try store(fixture)
        let part = try #require(record.treeParts)[position]
        let path = "\(fixture.path)/blobs/sha256/\(BlobPath.of(part))"
        let good = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        var text: [UInt8] = []
        try TreePartReader(record.treeTime).read(good) { text += $0 }
        var bad: [UInt8]?
        switch damage {
        case .flipped:
            bad = good
            bad?[good.count / 2] ^= 1
        case .cut: bad = Array(good.dropLast(3))
        case .empty: bad = []
        case .missing: bad = nil
        case .noZstd: bad = text
        case .sizeNotTold: bad = Self.compress(text, tellingSize: false)
        // A frame of one segment whose header says 2^60 bytes, and nothing in it.
        case .hugeSize: bad = [0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0, 0]
        case .twoFrames: bad = good + good
        case .otherText: bad = Self.compress(text.reversed())
        }
        try FileManager.default.removeItem(atPath: path)
        if let bad { try Data(bad).write(to: URL(fileURLWithPath: path)) }
        let error = #expect(throws: LayerStoreError.self) { try store.tree(of: record) }
        switch error {
        case .missingBlob(let digest, _): #expect(damage == .missing && digest == part)
        case .damagedBlob(let digest, _, _): #expect(damage != .missing && digest == part)
        default: Issue.record("\(String(describing: error))")
        }
        let report = try IntegrityCheck(
            store, pool: WorkerPool(workers: 2), begin: { _ in }, advance: { _ in }
        ).run()
        let found = try #require(report.damages.first { $0.kind != .index })
        #expect(found.digest == "\(part)" && found.layers == ["a"])
        #expect(found.kind == (damage == .missing ? .missing : .damaged))
    }

    @Test func partsThatDoNotMakeTheTreeAreToldAsItsDamage() throws {
        let fixture = try StoreFixture()
        var (store, record) = try store(fixture)
        record.treeParts?.reverse()
        let bytes = try StoreJSON.encode(record, what: "test")
        let digest = Digest(hashing: bytes)
        let path = "\(fixture.path)/blobs/sha256/\(BlobPath.of(digest))"
        try FileManager.default.createDirectory(
            atPath: String(path.dropLast(63)), withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        try Data("\(digest)\n".utf8).write(to: URL(fileURLWithPath: "\(fixture.path)/refs/layers/b"))
        store = try fixture.open(.reading)
        let error = #expect(throws: LayerStoreError.self) { try store.tree(of: record) }
        guard case .damagedRecord(let what, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(what == ByteString("the tree \(record.tree)"))
        let report = try IntegrityCheck(
            store, pool: WorkerPool(workers: 2), begin: { _ in }, advance: { _ in }
        ).run()
        let damages = report.damages.filter { $0.kind == .record }
        // The layer `a` has the same tree in the right order.
        #expect(damages.count == 1 && damages[0].digest == "\(record.tree)" && damages[0].layers.contains("b"))
    }

    /// What a program that knew no parts made: the dump as it is, and a record of the first version.
    private func oldStore(_ fixture: StoreFixture) throws -> LayerRecord {
        let store = try fixture.open()
        let session = try store.beginAdding()
        let tree = try StoreFixture.tree(["/usr/a": "a", "/usr/b": "b"], in: session)
        let record = LayerRecord(
            created: "1970-01-01T00:00:00Z", source: "test", platform: nil, entries: tree.entries.count, size: 2,
            tree: try session.stage(bytes: TreeDump.encode(tree)), diffID: DiffID(.empty), provenance: nil)
        let digest = try session.stage(bytes: StoreJSON.encode(record, what: "test"))
        _ = try session.publish()
        try Data("\(digest)\n".utf8).write(to: URL(fileURLWithPath: "\(fixture.path)/refs/layers/old"))
        let format =
            #"{"formatVersion":1,"algorithm":"sha256","features":{"compatible":["x"],"readOnlyCompatible":[],"incompatible":[]}}"#
        try Data(format.utf8).write(to: URL(fileURLWithPath: "\(fixture.path)/layerfs.json"))
        return record
    }

    private static let features = [TreeParts.feature, TreeParts.timesFeature]

    private func format(_ fixture: StoreFixture) throws -> StoreFormat.Features {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(fixture.path)/layerfs.json"))
        return try StoreFormat.decode([UInt8](bytes), path: "test").features
    }

    @Test func theFormatOfThisProgramIsKnownByItsText() throws {
        let text = try StoreFormat.current.encode()
        #expect(String(decoding: text, as: UTF8.self) == StoreFormat.currentText)
        #expect(try StoreFormat.decode(text, path: "test") == .current)
    }

    @Test func aStoreWithDumpsAsTheyAreGoesOnAndSaysWhenItHasOthers() throws {
        let fixture = try StoreFixture()
        let old = try oldStore(fixture)
        #expect(old.schemaVersion == 1)
        #expect(try fixture.open(.reading).tree(of: old).entries.count == 4)
        #expect(try fixture.open(.collecting).collectGarbage().total.count == 0)
        // Nothing that an older program does not know is in it yet.
        #expect(try format(fixture).incompatible == [])
        do {
            let store = try fixture.open()
            // The same tree needs no new record.
            let session = try store.beginAdding()
            let same = try StoreFixture.tree(["/usr/a": "a", "/usr/b": "b"], in: session)
            #expect(try session.checkAvailable(Name("old"), for: same, replacing: false))
            try StoreFixture.add("new", ["/usr/a": "a", "/usr/c": "c"], to: store)
        }
        #expect(try format(fixture).incompatible == Self.features)
        #expect(try format(fixture).compatible == ["x"])
        #expect(try fixture.open(.collecting).collectGarbage().total.count == 0)
        let store = try fixture.open(.reading)
        #expect(try store.tree(of: old).entries.count == 4)
        #expect(
            try IntegrityCheck(store, pool: WorkerPool(workers: 2), begin: { _ in }, advance: { _ in }).run().isSound)
        // A store that is made now says so from the beginning.
        let fresh = try StoreFixture()
        _ = try fresh.open()
        #expect(try format(fresh).incompatible == Self.features)
    }

    @Test func aTreeThatIsAlsoTheContentOfAFileKeepsItsContents() throws {
        let fixture = try StoreFixture()
        let old = try oldStore(fixture)
        let store = try fixture.open()
        let dump = String(
            decoding: try store.blobs.bytes(of: old.tree, limit: 1 << 20, wantedBy: "test"), as: UTF8.self)
        // Comes before the layer `old`, whose tree it has as the content of a file.
        try StoreFixture.add("a", ["/dump": dump], to: store)
        _ = consume store
        #expect(try fixture.open(.collecting).collectGarbage().total.count == 0)
        let whole = try IntegrityCheck(
            fixture.open(.reading), pool: WorkerPool(workers: 2), begin: { _ in }, advance: { _ in }
        ).run()
        #expect(whole.isSound)
    }
}
