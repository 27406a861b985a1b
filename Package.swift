// swift-tools-version: 6.2
import PackageDescription

/// Every target, tests included, is held to the same language settings; in CI a warning is an error.
let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

/// 100,000 pointers need not be relocated, nor their pages copied, at each start (docs/decisions/0031-a-fixed-address.md).
#if arch(x86_64)
    let atFixedAddress: [LinkerSetting] = [
        .unsafeFlags(["-Xclang-linker", "-no-pie"], .when(configuration: .release))
    ]
#else
    let atFixedAddress: [LinkerSetting] = []
#endif

/// Symbols are exported to nobody, and libraries that only Swift's runtime uses are part of the program: a quarter of a start was spent
/// on these (docs/decisions/0034-nothing-is-looked-up-that-can-be-linked.md). `make build` puts the archive of libstdc++ where it is found here.
let startingFast: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-Xlinker", "--no-export-dynamic", "-Xclang-linker", "-static-libgcc",
            "-L\(Context.packageDirectory)/.build/archives",
        ], .when(platforms: [.linux], configuration: .release))
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

func module(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "layerfs",
    products: [
        .executable(name: "layerfs", targets: ["layerfs"]),
        .executable(name: "layerfs-registry", targets: ["layerfs-registry"]),
        // The use cases, and the modules that their signatures speak of: a product exports only what it lists, and nobody could name
        // a tree or a digest without. Tar is what the errors and bytes of packing are made of.
        .library(
            name: "LayerFSKit",
            targets: [
                "LayerFSKit", "Bytes", "Digests", "ELF", "ImageTransport", "LayerStore", "Loader", "OCI", "Posix",
                "Sandbox", "Tar", "Trees",
            ]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // Of the registry client alone: `swift build --product layerfs` compiles none of these.
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // Pure values.
        module("Bytes"),
        module("Digests", "Bytes", crypto),
        module("Trees", "Bytes", "Digests"),

        // Formats: bytes in, values out, and back.
        module("ELF", "Bytes"),
        module("Tar", "Bytes"),
        module("Cpio", "Bytes"),
        module("OCI", "Digests"),

        // The kernel's interface.
        .target(name: "CLinux"),
        module("Posix", "Bytes", "CLinux", system),

        // What programs need of a root: the dynamic loader's search.
        module("Loader", "Bytes", "ELF", "Posix", system),

        // Who owns a file of a root.
        module("Packages", "Bytes", "CLinux", "Posix", system),

        // A command in a root of its own.
        .target(name: "CSandbox"),
        module("Sandbox", "Bytes", "CSandbox", "Posix", system),

        // The store.
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        module("LayerStore", "Bytes", "CZstd", "Digests", "Posix", "Trees", grdb, sqlite, system),

        // Layers and images as others read them.
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
        .systemLibrary(name: "CLzma", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
        // Not by pkg-config: it is linked where it is imported, which is on x86-64.
        .systemLibrary(name: "CIsal", providers: [.apt(["libisal-dev"])]),
        module(
            "ImageTransport", "Bytes", "CDeflate", "CIsal", "CLzma", "CZlib", "CZstd", "Cpio", "Digests", "OCI",
            "Posix", "Tar",
            "Trees",
            system),

        // What registries and their clients say to each other, and a question or two to one on this machine: all of it that layerfs
        // itself has.
        module("RegistryProtocol", "Bytes", "Digests", "OCI", "Posix"),

        // The use cases, and the command line on top of them.
        module(
            "LayerFSKit", "Bytes", "Digests", "ELF", "ImageTransport", "LayerStore", "Loader", "OCI", "Packages",
            "Posix",
            "Sandbox", "Trees", system),
        module(
            "LayerFSCommands", "Bytes", "Cpio", "Digests", "ImageTransport", "LayerFSKit", "LayerStore", "Loader",
            "OCI",
            "Packages",
            "Posix", "RegistryProtocol", "Sandbox", "Tar", "Trees", argumentParser),
        .executableTarget(
            name: "layerfs", dependencies: ["LayerFSCommands"], swiftSettings: strict,
            linkerSettings: atFixedAddress + startingFast),

        // Registries, in a program of their own: the network makes it big and slow to build.
        module(
            "Registry", "Bytes", "Digests", "OCI", "Posix", "RegistryProtocol", asyncHTTPClient, logging, nio, nioHTTP1,
            nioPosix, nioSSL, system),
        module(
            "RegistryCommands", "Bytes", "Digests", "ImageTransport", "LayerFSCommands", "LayerFSKit", "LayerStore",
            "OCI", "Posix",
            "Registry", "RegistryProtocol", "Trees", argumentParser, logging),
        .executableTarget(
            name: "layerfs-registry", dependencies: ["RegistryCommands"], swiftSettings: strict,
            linkerSettings: startingFast),

        // Starts a sandbox as another user, which the test process cannot become.
        .executableTarget(
            name: "sandbox-probe", dependencies: ["Bytes", "Sandbox"], path: "Tests/SandboxProbe", swiftSettings: strict
        ),
        // Parses damaged inputs in a process of its own, so that a trap is a finding. Add targets in FuzzTarget.all.
        .executableTarget(
            name: "fuzz-parsers",
            dependencies: [
                "Bytes", "Digests", "ELF", "ImageTransport", "Loader", "OCI", "Tar", "TestSupport", "Trees",
            ], path: "Tests/FuzzParsers",
            swiftSettings: strict),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        tests("BytesTests", "Bytes"),
        tests("DigestsTests", "Digests"),
        tests("PosixTests", "Bytes", "Posix", "TestSupport", system),
        tests("PackagesTests", "Bytes", "Packages"),
        tests("SandboxTests", "Bytes", "Sandbox", "sandbox-probe", system),
        tests("CpioTests", "Bytes", "Cpio"),
        tests("TreesTests", "TestSupport", "Trees"),
        tests("ELFTests", "Bytes", "ELF", "TestSupport"),
        tests("LoaderTests", "Bytes", "ELF", "Loader", "Posix", "TestSupport"),
        tests("LayerStoreTests", "Bytes", "CZstd", "Digests", "LayerStore", "Posix", "TestSupport", "Trees", grdb),
        tests(
            "LayerFSKitTests", "Bytes", "Digests", "ELF", "ImageTransport", "LayerFSKit", "LayerStore", "Loader", "OCI",
            "Packages", "Posix", "Sandbox", "Tar", "TestSupport", "Trees", system),
        tests("LayerFSCommandsTests", "Bytes", "LayerFSCommands", "LayerFSKit", "Loader", "Trees", argumentParser),
        tests("TarTests", "Bytes", "Tar", "TestSupport"),
        tests("OCITests", "Digests", "OCI", "TestSupport"),
        tests(
            "ImageTransportTests", "Bytes", "CZlib", "Digests", "ImageTransport", "OCI", "Posix", "Tar", "TestSupport",
            "Trees"),
        tests(
            "RegistryTests", "Bytes", "Digests", "OCI", "Posix", "Registry", "RegistryProtocol", "TestSupport", logging,
            system),
        tests(
            "RegistryCommandsTests", "Bytes", "LayerFSCommands", "OCI", "Registry", "RegistryCommands",
            "RegistryProtocol", "Trees", argumentParser),
        tests("FuzzTests", "TestSupport", "fuzz-parsers"),
        // The built programs against their real counterparts.
        tests("InteropTests", "TestSupport", "layerfs", "layerfs-registry"),
        tests("DocumentationTests", "TestSupport", "layerfs"),
    ]
)
