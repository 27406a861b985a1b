import Foundation

/// A real registry (docker-registry) of the tests' own on 127.0.0.1, with all it keeps in a temporary directory.
public struct RegistryServer: Sendable {
    /// Whom it lets in, and how it is spoken to.
    public enum Kind: Sendable {
        case plain
        /// Only the user `me` with the password ``password``.
        case password
        /// By TLS, with a certificate of an authority of its own.
        case tls
    }

    public static let password = "correct horse"

    private let folder: TemporaryDirectory
    /// `127.0.0.1:PORT`.
    public let host: String
    /// Where it keeps what it has.
    public var data: String { folder.path + "/data" }
    /// Of one with TLS.
    public var certificates: TestCertificates { TestCertificates(at: folder.path) }

    /// Runs `body` while a registry runs, which is stopped whatever becomes of `body`.
    ///
    /// - Throws: ``NotStarted`` with the registry's log, or what `body` throws.
    public static func whileRunning<Result>(
        _ kind: Kind, _ body: (RegistryServer) async throws -> Result
    ) async throws -> Result {
        let folder = try TemporaryDirectory()
        let process = try start(kind, in: folder)
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        return try await body(RegistryServer(folder: folder, host: port(of: process, in: folder)))
    }

    /// The registry did not say where it listens.
    public struct NotStarted: Error, CustomStringConvertible {
        public let log: String

        public var description: String { "docker-registry did not start; its log ends with:\n\(log.suffix(4000))" }
    }

    private static func start(_ kind: Kind, in folder: TemporaryDirectory) throws -> Process {
        var configuration = """
            version: 0.1
            log: {level: info, formatter: text}
            storage: {filesystem: {rootdirectory: \(folder.path)/data}, delete: {enabled: true}}
            http: {addr: "127.0.0.1:0", secret: test
            """
        if case .tls = kind {
            let certificates = try TestCertificates(in: folder)
            configuration += ", tls: {certificate: \(certificates.certificate), key: \(certificates.key)}"
        }
        configuration += "}\n"
        if case .password = kind {
            let entry = try Tool.succeed("htpasswd", ["-Bbn", "me", password]).output
            try folder.write("htpasswd", entry)
            configuration += "auth: {htpasswd: {realm: tests, path: \(folder.path)/htpasswd}}\n"
        }
        try folder.write("config.yml", Array(configuration.utf8))
        try folder.write("log", [])
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Tool.path(of: "docker-registry") ?? "/usr/bin/docker-registry")
        process.arguments = ["serve", folder.path + "/config.yml"]
        let log = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.path + "/log"))
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = log
        process.standardError = log
        try process.run()
        return process
    }

    /// The port is the kernel's choice; the log tells it.
    private static func port(of process: Process, in folder: TemporaryDirectory) async throws -> String {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let log = String(decoding: try folder.read("log"), as: UTF8.self)
            if let place = log.range(of: #"listening on 127\.0\.0\.1:[0-9]+"#, options: .regularExpression) {
                return String(log[place].dropFirst("listening on ".count))
            }
            // Only now: other tests may keep this one from going on for longer than a registry takes to start.
            guard process.isRunning, ContinuousClock.now < deadline else { throw NotStarted(log: log) }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
