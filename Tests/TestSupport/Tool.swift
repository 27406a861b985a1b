import Foundation

/// A real program that results are compared with.
public struct Tool: Sendable {
    /// What a program left behind.
    public struct Outcome: Sendable {
        public var status: Int32
        public var output: [UInt8]
        public var errors: String

        public var text: String { String(decoding: output, as: UTF8.self) }
        public var lines: [String] { text.split(separator: "\n").map(String.init) }
    }

    /// Whether a test that needs `name` is to run: where it is installed; in CI always, so that its absence fails.
    public static func isAvailable(_ name: String) -> Bool { isCI || path(of: name) != nil }

    /// Runs `name`, a program on PATH or a path, with `arguments` and waits for it.
    ///
    /// - Parameter environment: all its variables; nil for those of the tests, in the C locale and UTC.
    public static func run(
        _ name: String, _ arguments: [String], input: [UInt8]? = nil, environment: [String: String]? = nil
    ) throws -> Outcome {
        guard let path = path(of: name) else { throw Missing(name: name) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment =
            environment ?? ProcessInfo.processInfo.environment.merging(["LC_ALL": "C", "TZ": "UTC"]) { $1 }
        // Files instead of pipes: nothing to be drained at the same time.
        let folder = try TemporaryDirectory()
        let files = ["in", "out", "err"].map { URL(fileURLWithPath: folder.path + "/" + $0) }
        try Data(input ?? []).write(to: files[0])
        for file in files[1...] { try Data().write(to: file) }
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        try process.run()
        process.waitUntilExit()
        return try Outcome(
            status: process.terminationStatus, output: Array(Data(contentsOf: files[1])),
            errors: String(decoding: Data(contentsOf: files[2]), as: UTF8.self))
    }

    /// Runs `name` as ``run(_:_:input:environment:)`` does.
    ///
    /// - Returns: what it wrote to standard output.
    /// - Throws: ``Failure`` when it does not succeed.
    @discardableResult
    public static func succeed(
        _ name: String, _ arguments: [String], input: [UInt8]? = nil, environment: [String: String]? = nil
    ) throws -> Outcome {
        let outcome = try run(name, arguments, input: input, environment: environment)
        guard outcome.status == 0 else { throw Failure(command: [name] + arguments, outcome: outcome) }
        return outcome
    }

    /// A program failed that a test cannot do without.
    public struct Failure: Error, CustomStringConvertible {
        public let command: [String]
        public let outcome: Outcome

        public var description: String {
            "\(command.joined(separator: " ")): status \(outcome.status): \(outcome.errors)\(outcome.text.suffix(2000))"
        }
    }

    private struct Missing: Error { let name: String }

    /// Where `name` lies; nil where it is not installed.
    public static func path(of name: String) -> String? {
        if name.contains("/") { return FileManager.default.isExecutableFile(atPath: name) ? name : nil }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        return folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}

/// A new directory that is removed with its owner.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init() throws {
        // Canonical, as the programs under test report it; in lower case, as buildah wants the names of layouts.
        path =
            URL(fileURLWithPath: NSTemporaryDirectory()).resolvingSymlinksInPath()
            .appendingPathComponent("layerfs-test-" + UUID().uuidString.prefix(8).lowercased()).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    public func read(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }

    public func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    /// All paths below, sorted.
    public func contents(_ name: String = "") throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path + "/" + name).sorted()
    }
}

/// Random numbers that are the same in every run (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

/// Whether the tests may set owners and make device nodes.
public let isRoot = geteuid() == 0
