import Benchmark

/// What the runner calls, in a process of its own for each benchmark: nothing is prepared before its turn.
let benchmarks: @Sendable () -> Void = {
    addDigestBenchmarks()
    addELFBenchmarks()
    addTarBenchmarks()
    addTreeBenchmarks()
    addPackingBenchmarks()
    addStoreBenchmarks()
}
