import Benchmark
import Trees

/// The value that everything turns on: its text form, and stacking.
func addTreeBenchmarks() {
    Benchmark("tree, 10,000 entries written", configuration: .by(.entries)) { benchmark, sample in
        benchmark.measure(Sample.count, .entries) { blackHole(TreeDump.encode(sample.tree)) }
    } setup: {
        try Sample()
    }

    Benchmark("tree, 10,000 entries parsed", configuration: .by(.entries)) { benchmark, dump in
        try benchmark.measure(Sample.count, .entries) { blackHole(try TreeDump.decode(dump)) }
    } setup: {
        TreeDump.encode(try Sample().tree)
    }

    Benchmark("composition, one layer of 10,000 entries", configuration: .by(.entries)) { benchmark, layers in
        try benchmark.measure(Sample.count, .entries) { blackHole(try Composition(layers)) }
    } setup: {
        [Composition.Layer(name: "alone", tree: try Sample().tree)]
    }

    // A thousand entries are the same in both.
    Benchmark("composition, two layers of 10,000 entries", configuration: .by(.entries)) { benchmark, layers in
        try benchmark.measure(2 * Sample.count, .entries) { blackHole(try Composition(layers)) }
    } setup: {
        try ["lower", "upper"].map { Composition.Layer(name: $0, tree: try Sample($0, shared: 1000).tree) }
    }
}
