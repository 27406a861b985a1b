import Foundation
import Glibc
import OCI
import RegistryProtocol

/// A program that keeps credentials: `docker-credential-<suffix>` (docker-credential-helpers, README). The only program that
/// the registry client runs, and only when a file of credentials names it.
struct CredentialHelper: Sendable {
    let suffix: String
    private let path: String

    private var program: String { "docker-credential-" + suffix }
    private static let answerLimit = 1 << 20

    /// - Parameter searchPath: the value of PATH. Its relative parts are not searched.
    /// - Throws: ``RegistryError/helper(program:reason:)``.
    init(suffix: String, searchPath: String) throws(RegistryError) {
        self.suffix = suffix
        guard Self.isSuffix(suffix) else {
            throw .helper(program: shown(suffix, limit: 60), reason: "this cannot be the name of a credential helper")
        }
        let program = "docker-credential-" + suffix
        let candidates = searchPath.split(separator: ":").filter { $0.hasPrefix("/") }.map { "\($0)/\(program)" }
        guard let path = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw .helper(program: program, reason: "the credential helper that is configured is not on PATH")
        }
        self.path = path
    }

    /// `[A-Za-z0-9._-]+`: a name, no path.
    static func isSuffix(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// The credentials for `host`; nil when the helper has none.
    ///
    /// - Throws: ``RegistryError/helper(program:reason:)``.
    func get(host: String) throws(RegistryError) -> Credential? {
        let (status, answer) = try run("get", input: AuthFile.serverKey(host))
        guard status == 0 else {
            let text = String(decoding: answer, as: UTF8.self)
            if text.contains("credentials not found") { return nil }
            throw .helper(
                program: program, reason: "it failed: \(shown(text.trimmingCharacters(in: .whitespacesAndNewlines)))")
        }
        guard let document = try? JSONValue(parsing: answer), let user = document["Username"]?.string,
            let secret = document["Secret"]?.string
        else { throw .helper(program: program, reason: "its answer is not what the protocol says") }
        return user == "<token>" ? .identityToken(secret) : .password(user: user, secret)
    }

    /// Has the helper keep `credential` for `host`.
    ///
    /// - Throws: ``RegistryError/helper(program:reason:)``.
    func store(_ credential: Credential, host: String) throws(RegistryError) {
        let (user, secret) =
            switch credential {
            case .password(let user, let password): (user, password)
            case .identityToken(let token): ("<token>", token)
            }
        let document = JSONValue.object([
            "ServerURL": .string(AuthFile.serverKey(host)), "Username": .string(user), "Secret": .string(secret),
        ])
        try change("store", input: String(decoding: document.canonicalBytes, as: UTF8.self))
    }

    /// Has the helper forget what it keeps for `host`.
    ///
    /// - Throws: ``RegistryError/helper(program:reason:)``.
    func erase(host: String) throws(RegistryError) { try change("erase", input: AuthFile.serverKey(host)) }

    private func change(_ action: String, input: String) throws(RegistryError) {
        let (status, answer) = try run(action, input: input)
        guard status == 0 else {
            throw .helper(
                program: program, reason: "\(action) failed: \(shown(String(decoding: answer, as: UTF8.self)))")
        }
    }

    private func run(_ action: String, input: String) throws(RegistryError) -> (status: Int32, answer: [UInt8]) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = [action]
        let (requests, answers) = (Pipe(), Pipe())
        process.standardInput = requests
        process.standardOutput = answers
        do {
            try process.run()
            // Far less than a pipe holds: it does not block, whatever the helper does.
            try? requests.fileHandleForWriting.write(contentsOf: Array(input.utf8))
            try? requests.fileHandleForWriting.close()
            var answer: [UInt8] = []
            while let piece = try answers.fileHandleForReading.read(upToCount: 1 << 16), !piece.isEmpty {
                answer += piece
                // Not SIGTERM, which it may have blocked as the threads that it comes from have.
                if answer.count > Self.answerLimit { kill(process.processIdentifier, SIGKILL) }
            }
            process.waitUntilExit()
            return (process.terminationReason == .exit ? process.terminationStatus : 128, answer)
        } catch {
            throw .helper(program: program, reason: "it cannot be run")
        }
    }
}
