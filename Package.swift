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

        // What the machine's package manager knows of its files.
        .target(
            name: "Packages",
            dependencies: ["Bytes", "CLinux", "Posix", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),
        .testTarget(name: "PackagesTests", dependencies: ["Bytes", "Packages"], swiftSettings: strict),

        // Running a command in a root. The C part is all that runs between clone(2) and execve(2).
        .target(name: "CSandbox"),
        .target(
            name: "Sandbox",
            dependencies: ["Bytes", "CSandbox", "Posix", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),
        .executableTarget(
            name: "sandbox-probe", dependencies: ["Bytes", "Sandbox"], path: "Tests/SandboxProbe",
            swiftSettings: strict),
        .testTarget(
            name: "SandboxTests",
            dependencies: [
                "Bytes", "Sandbox", "sandbox-probe", .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
    ]
)
