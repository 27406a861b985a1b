import Bytes
import Posix
import TestSupport
import Testing
import Trees

@testable import LayerFSKit
@testable import LayerStore

/// The packed entries of a plan, held against a plain array of them.
struct PlanEntriesTests {
    private static func state(_ generator: inout SeededGenerator) -> SourceState {
        func time() -> FileTime {
            FileTime(
                seconds: .random(in: -9...9, using: &generator), nanoseconds: .random(in: 0...9, using: &generator))
        }
        let own = SourceState.Own(
            inode: .random(in: 0 ... .max, using: &generator), size: .random(in: 0...9, using: &generator),
            modified: time(), changed: time())
        let common = SourceState.Common(
            device: .random(in: 0...1, using: &generator), mode: 0o644, uid: .random(in: 0...1, using: &generator),
            gid: .max)
        return SourceState(own, common)
    }

    private static func entry(_ generator: inout SeededGenerator) -> PlannedEntry {
        let names: [ByteString] = ["a", "a-", "ab", "b", ByteString([0xff, 0x0a])]
        func path(_ depth: Int) -> TreePath {
            (0..<depth).reduce(TreePath.root) { path, _ in path.appending(names.randomElement(using: &generator) ?? "a")
            }
        }
        let directory = path(.random(in: 0...3, using: &generator))
        let name = names.randomElement(using: &generator) ?? "a"
        let origin: PlanOrigin = Bool.random(using: &generator) ? .directory("d") : .programs
        let change = MetadataChange(mode: Bool.random(using: &generator) ? nil : 0o600)
        let host = Bool.random(using: &generator) ? "" : directory.bytes
        switch Int.random(in: 0..<8, using: &generator) {
        case 0:
            let metadata = Metadata(mode: 0o755, modified: Timestamp(seconds: 3))
            return PlannedEntry(
                directory, .node(.directory, metadata, source: host), origin, rootPath: directory)
        case 1: return PlannedEntry(directory.appending(name), .generated([1, 2], mode: 0o600), origin)
        case 2:
            // Under another name than it has on this machine, or of no root.
            return PlannedEntry(
                directory.appending(name), .file(source: "/other", state(&generator), change), origin,
                rootPath: Bool.random(using: &generator) ? nil : directory.appending("other"))
        default:
            let source = (host == "/" ? "" : host) + "/" + name
            let rootPath = (Bool.random(using: &generator) ? directory : .root).appending(name)
            return PlannedEntry(
                directory.appending(name), .file(source: source, state(&generator), change), origin, rootPath: rootPath)
        }
    }

    @Test(arguments: UInt64(0)..<20)
    func entriesComeBackAsTheyWere(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let model = (0..<200).map { _ in Self.entry(&generator) }
        var packed = PlanEntries(model[..<120])
        packed += model[120...]
        var all = PlanEntries()
        all += packed
        for entries in [packed, all, PlanEntries(packed)] {
            #expect(entries.count == model.count)
            for (entry, expected) in zip(entries, model) { #expect("\(entry)" == "\(expected)") }
        }
        #expect(packed.size == model.reduce(0) { $0 + ($1.file?.state.size ?? 0) })
        let order = model.indices.sorted { (model[$0].path, $0) < (model[$1].path, $1) }
        #expect(packed.order == order.map { UInt32($0) })
    }

    @Test func anExactDirectoryIsReplaced() {
        var generator = SeededGenerator(seed: 1)
        var packed = PlanEntries((0..<9).map { _ in Self.entry(&generator) })
        let position = packed.count
        packed.append(PlannedEntry(.root, .madeDirectory(mode: 0o700), .programs))
        packed.append(Self.entry(&generator))
        packed.replace(position, by: PlannedEntry(.root, .madeDirectory(mode: 0o711), .programs))
        #expect("\(packed[position])" == "\(PlannedEntry(.root, .madeDirectory(mode: 0o711), .programs))")
    }
}
