// swift-tools-version: 6.2
// A package of its own, so that nobody who builds layerfs or uses it as a library has to fetch what only measures it.
import PackageDescription

let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

let package = Package(
    name: "layerfs-micro-benchmarks",
    dependencies: [
        // The name, because the directory of a checkout can be called anything.
        .package(name: "layerfs", path: "../.."),
        // Without traits it counts neither allocations nor retains, and needs no library of its own below malloc.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        // What the plugin runs lies below Benchmarks.
        .executableTarget(
            name: "LayerFSBenchmarks",
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "LayerFSKit", package: "layerfs"),
            ],
            path: "Benchmarks/LayerFSBenchmarks",
            swiftSettings: strict,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
    ]
)
