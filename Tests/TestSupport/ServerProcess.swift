import Foundation

/// A server of the tests' own that runs beside them; what it says goes to the file `log` in its folder.
public struct ServerProcess: Sendable {
    /// It did not answer in time.
    public struct NotStarted: Error, CustomStringConvertible {
        public let name: String
        public let log: String

        public var description: String { "\(name) did not start; its log ends with:\n\(log.suffix(6000))" }
    }

    private let name: String
    private let folder: TemporaryDirectory
    private let process: Process

    /// Starts `name`, which is on PATH or in /usr/sbin.
    public init(_ name: String, _ arguments: [String], in folder: TemporaryDirectory) throws {
        (self.name, self.folder) = (name, folder)
        try folder.write("log", [])
        process = Process()
        process.executableURL = URL(fileURLWithPath: Tool.path(of: name) ?? "/usr/sbin/" + name)
        process.arguments = arguments
        let log = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.path + "/log"))
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = log
        process.standardError = log
        try process.run()
    }

    /// Waits until `answers` is true.
    ///
    /// - Throws: ``NotStarted`` with its log when it ends before that, or takes a minute; what `answers` throws.
    public func wait(until answers: () throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try !answers() {
            // Only now: other tests may keep this one from going on for longer than a server takes to start.
            guard process.isRunning, ContinuousClock.now < deadline else {
                let log = (try? folder.read("log")).map { String(decoding: $0, as: UTF8.self) } ?? ""
                throw NotStarted(name: name, log: log)
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Asks it to end (SIGTERM), and waits for that.
    public func stop() {
        process.terminate()
        process.waitUntilExit()
    }
}
