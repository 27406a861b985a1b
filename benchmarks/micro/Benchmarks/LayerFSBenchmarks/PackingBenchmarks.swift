import Benchmark
import ImageTransport
import Posix
import Trees

/// A layer's canonical tar from contents in memory; one thread compresses.
func addPackingBenchmarks() {
    // What `add` does with every new layer.
    Benchmark("packing, canonical tar with its digest", configuration: .by(.bytes)) { benchmark, layer in
        try benchmark.measure(layer.tarSize, .bytes) {
            blackHole(try LayerPacking().measure(layer.stored.entries, from: layer.stored.contents))
        }
    } setup: {
        try PackedLayer(Sample())
    }

    // What `export` does, but for the writing: tar, its digest, deflate, reading back of each segment, the digest of what comes out.
    Benchmark("packing, gzip of the same", configuration: .by(.bytes)) { benchmark, layer in
        try benchmark.measure(layer.tarSize, .bytes) {
            blackHole(try layer.stored.compressedDigest(pool: WorkerPool(workers: 1)))
        }
    } setup: {
        try PackedLayer(Sample())
    }
}

private struct PackedLayer: Sendable {
    let stored: StoredLayer
    /// In bytes.
    let tarSize: Int

    init(_ sample: Sample) throws {
        let tar = try LayerPacking().measure(sample.entries, from: sample.contents)
        stored = StoredLayer(
            entries: sample.entries, original: OriginalLayer(diffID: tar.diffID, skeleton: nil, blob: nil),
            contents: sample.contents)
        tarSize = Int(tar.size)
    }
}
