// swift-tools-version: 6.2
import PackageDescription

/// Every target, tests included, is held to the same language settings; in CI a warning is an error.
let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

let package = Package(
    name: "layerfs",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // Pure values and the kernel's interface.
        .target(name: "CLinux"),
        .target(name: "Bytes", swiftSettings: strict),
        .target(
            name: "Digests", dependencies: ["Bytes", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .target(
            name: "Posix", dependencies: ["Bytes", "CLinux", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),
        .target(name: "Trees", dependencies: ["Bytes", "Digests"], swiftSettings: strict),

        // Formats: bytes in, values out, and back.
        .target(name: "Tar", dependencies: ["Bytes"], swiftSettings: strict),
        .target(name: "OCI", dependencies: ["Digests"], swiftSettings: strict),

        // The store.
        .target(
            name: "LayerStore",
            dependencies: ["Bytes", "Digests", "Posix", "Trees", .product(name: "GRDB", package: "GRDB.swift"), .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),

        // Images as files.
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "ImageTransport",
            dependencies: [
                "Bytes", "Digests", "Posix", "Trees", "Tar", "OCI", "CZlib",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "TarTests", dependencies: ["Tar", "Bytes", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "OCITests", dependencies: ["OCI", "Digests", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "ImageTransportTests",
            dependencies: ["ImageTransport", "Bytes", "Digests", "OCI", "Posix", "Tar", "Trees", "TestSupport"],
            swiftSettings: strict),
        .testTarget(name: "BytesTests", dependencies: ["Bytes"], swiftSettings: strict),
        .testTarget(name: "DigestsTests", dependencies: ["Digests"], swiftSettings: strict),
        .testTarget(name: "PosixTests", dependencies: ["Posix", "Bytes", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "TreesTests", dependencies: ["Trees"], swiftSettings: strict),
    ]
)
