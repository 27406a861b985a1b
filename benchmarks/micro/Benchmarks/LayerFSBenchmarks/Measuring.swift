import Benchmark

/// What a run works through. Its time is also given for one of them, so that figures of different sizes compare.
enum Unit: Sendable {
    case bytes
    case entries
    case files

    var metric: BenchmarkMetric {
        switch self {
        case .bytes: .custom("MB per second", polarity: .prefersLarger, useScalingFactor: false)
        case .entries: .custom("ns per entry", polarity: .prefersSmaller, useScalingFactor: false)
        case .files: .custom("ns per file", polarity: .prefersSmaller, useScalingFactor: false)
        }
    }

    /// The value of ``metric`` when `count` of them took `duration`.
    fileprivate func value(_ count: Int, in duration: Duration) -> Int {
        let nanoseconds = duration / .nanoseconds(1)
        switch self {
        case .bytes: return Int(Double(count) * 1000 / nanoseconds)
        case .entries, .files: return Int(nanoseconds / Double(count))
        }
    }
}

extension Benchmark.Configuration {
    /// How every benchmark is run: with four seconds for each, all take about a minute.
    static func by(_ unit: Unit) -> Self {
        Self(
            metrics: [unit.metric, .wallClock, .throughput, .cpuTotal, .instructions], warmupIterations: 3,
            maxDuration: .seconds(4), maxIterations: 100_000)
    }
}

extension Benchmark {
    /// Measures `work`, which goes through `count` of `unit`.
    func measure(_ count: Int, _ unit: Unit, _ work: () throws -> Void) rethrows {
        startMeasurement()
        let duration = try ContinuousClock().measure(work)
        stopMeasurement()
        measurement(unit.metric, unit.value(count, in: duration))
    }
}
