import Foundation

/// A time of parsing damaged inputs, in a process that is watched from this one.
public struct FuzzRun: Sendable {
    /// How long each parser is tried, FUZZ_SECONDS: short unless a long run is wanted.
    public static let seconds = ProcessInfo.processInfo.environment["FUZZ_SECONDS"].flatMap { Double($0) } ?? 2

    /// What the inputs are made from, FUZZ_SEED: the same ones in every short run, others in every long one.
    public static let seed: UInt64 =
        ProcessInfo.processInfo.environment["FUZZ_SEED"].flatMap { UInt64($0) }
        ?? (seconds > 10 ? UInt64.random(in: 1...UInt64(UInt32.max)) : 1)

    /// Beside ``LayerFSProgram/path``.
    public static let program = URL(fileURLWithPath: LayerFSProgram.path).deletingLastPathComponent()
        .appendingPathComponent("fuzz-parsers").path

    /// Inputs that were parsed, and that were refused.
    public var parsed = 0
    public var refused = 0
    /// The most memory that the process had, in KiB.
    public var memory = 0
    /// What went wrong, with the place of the input that did it; nil for nothing.
    public var finding: String?

    /// Fuzzes `target` with inputs made of `files` and its own seeds.
    public init(_ target: String, files: [String]) throws {
        let folder = try TemporaryDirectory()
        let current = folder.path + "/current"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments =
            [target, "--seconds", "\(Self.seconds)", "--seed", "\(Self.seed)", "--current", current] + files
        let (output, errors) = (folder.path + "/out", folder.path + "/err")
        for file in [output, errors] { try Data().write(to: URL(fileURLWithPath: file)) }
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        try process.run()
        let isHanging = Self.watch(process, current)
        process.waitUntilExit()
        let said = String(decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self)
        let numbers = said.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        if isHanging || process.terminationStatus != 0 || numbers.count != 3 {
            let end = isHanging ? "did not return from" : "ended with status \(process.terminationStatus) in"
            let trouble = String(decoding: FileManager.default.contents(atPath: errors) ?? Data(), as: UTF8.self)
            let place = try Self.save(current, target)
            finding = "\(target) \(end) the input \(place) (FUZZ_SEED \(Self.seed)): \(trouble.suffix(2000))"
        } else {
            (parsed, refused, memory) = (numbers[0], numbers[1], numbers[2])
        }
    }

    /// Waits for the end of `process`.
    ///
    /// - Returns: true when it had to be ended, because one input kept it busy beyond all reason.
    private static func watch(_ process: Process, _ current: String) -> Bool {
        var (last, unchanged): (UInt64?, Double) = (nil, 0)
        let pause = 0.1
        while process.isRunning {
            Thread.sleep(forTimeInterval: pause)
            let number = try? read(current, 8).first
            unchanged = number == last ? unchanged + pause : 0
            last = number ?? last
            guard unchanged > hangs else { continue }
            kill(process.processIdentifier, SIGKILL)
            return true
        }
        return false
    }

    /// Seconds that one input may take: a thousand times what the slowest takes, on a machine that does other things.
    private static let hangs: Double = 60

    /// The 64-bit numbers at the beginning of `file`.
    private static func read(_ file: String, _ size: Int) throws -> [UInt64] {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
        defer { try? handle.close() }
        let bytes = Array(try handle.read(upToCount: size) ?? Data())
        return bytes.withUnsafeBytes { buffer in
            (0..<bytes.count / 8).map { buffer.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
        }
    }

    /// Keeps the input in `.build/fuzz-findings`, or where FUZZ_FINDINGS says.
    private static func save(_ current: String, _ target: String) throws -> String {
        let bytes = Array(FileManager.default.contents(atPath: current) ?? Data())
        guard bytes.count >= 16 else { return "(none)" }
        let length = Int(clamping: try read(current, 16)[1])
        let folder = ProcessInfo.processInfo.environment["FUZZ_FINDINGS"] ?? ".build/fuzz-findings"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let place = "\(folder)/\(target)-\(seed)"
        try Data(bytes[16...].prefix(length)).write(to: URL(fileURLWithPath: place))
        return place
    }
}
