import Benchmark
import Bytes
import Digests
import Foundation
import LayerStore
import Trees

/// Naming a layer: its documents written and flushed, the reference, one transaction of the index. The contents of its files are not there:
/// staging them is measured with whole commands.
func addStoreBenchmarks() {
    Benchmark("store, a layer of 10,000 entries committed", configuration: .by(.entries)) { benchmark, tree in
        let folder = try TemporaryStore()
        let session = try folder.store.beginAdding()
        try benchmark.measure(Sample.count, .entries) { try commit(tree, nil, session) }
    } setup: {
        try Sample().tree
    }

    Benchmark("store, the same with its provenance", configuration: .by(.entries)) { benchmark, tree in
        let provenance = provenance(of: tree)
        let folder = try TemporaryStore()
        let session = try folder.store.beginAdding()
        try benchmark.measure(Sample.count, .entries) { try commit(tree, provenance, session) }
    } setup: {
        try Sample().tree
    }
}

private func commit(_ tree: Tree, _ provenance: Provenance?, _ session: StoreSession) throws {
    let outcome = try session.commit(
        layer: Name("sample"), tree: tree, provenance: provenance, source: "micro-benchmark",
        created: "2026-01-01T00:00:00Z", platform: nil, diffID: DiffID(.empty), replacing: false)
    precondition(outcome == .created, "the store was not new")
}

/// As that of an installed package: an origin for each file and link.
private func provenance(of tree: Tree) -> Provenance {
    let package = Provenance.Package(name: "sample", version: "1.0-1", architecture: "amd64")
    return Provenance(
        requests: [],
        files: tree.entries.filter { !$0.isDirectory }.map {
            Provenance.Origin(path: $0.path, source: nil, package: package, origin: "package sample")
        }, edges: [])
}

/// A new store in TMPDIR, else /var/tmp, which lies on a disk more often than /tmp does; removed in the end.
private final class TemporaryStore {
    let store: Store
    private let path: String

    init() throws {
        let place = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/var/tmp"
        path = "\(place)/layerfs-benchmark-\(UUID().uuidString)"
        store = try Store(ByteString(path), .adding)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
