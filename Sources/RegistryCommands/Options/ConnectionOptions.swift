import ArgumentParser
import LayerFSCommands
import LayerFSKit
import Logging
import Registry

/// How a registry is reached, and with whose credentials.
struct ConnectionOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Whether certificates are verified; with false, http is spoken to a registry that has no https.",
            valueName: "bool"))
    var tlsVerify = true

    @Option(
        name: .customLong("ca"),
        help: ArgumentHelp("A file of further authorities (PEM); may be repeated.", valueName: "file"))
    var authorities: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A directory with *.crt (authorities), *.cert and *.key (client) for the registry (default: "
                + "/etc/containers/certs.d/HOST and /etc/docker/certs.d/HOST).",
            valueName: "dir"))
    var certDir: String?

    @Option(
        name: .customLong("authfile"),
        help: ArgumentHelp(
            "The file with credentials (default: $REGISTRY_AUTH_FILE, else those of podman and Docker).",
            valueName: "file"))
    var authFile: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A host outside the registry's domain that may be given its credentials for a token.", valueName: "host"))
    var trustRealm: [String] = []

    @Option(name: .long, help: ArgumentHelp("Blobs at a time (default: 4).", valueName: "number"))
    var jobs = 4

    @Option(name: .long, help: ArgumentHelp("Attempts before giving up (default: 5).", valueName: "number"))
    var attempts = 5

    @Option(name: .long, help: .hidden) var chunkSize: Int64?

    @Flag(name: .long, help: "Tell every request, without secrets.") var debug = false

    func validate() throws {
        guard (1...64).contains(jobs), (1...20).contains(attempts), chunkSize ?? 1 > 0 else {
            throw ValidationError("--jobs is 1 to 64, --attempts 1 to 20.")
        }
    }

    /// What the options say about speaking to `host`.
    func registryOptions(host: String, isVerbose: Bool) throws -> RegistryOptions {
        var options = RegistryOptions()
        options.security.verifies = tlsVerify
        options.security.authorities = authorities
        options.security.directories = certDir.map { [$0] } ?? ConnectionSecurity.usualDirectories(host: host)
        options.proxies = try ProxySettings(variable: Environment.current.value)
        options.trustedRealms = Set(trustRealm.map { $0.lowercased() })
        options.jobs = jobs
        options.retry.attempts = attempts
        options.chunkSize = chunkSize ?? options.chunkSize
        options.log = Logger(label: "layerfs.registry") { _ in ConsoleLog() }
        options.log.logLevel = debug ? .debug : isVerbose ? .info : .warning
        return options
    }

    /// Where credentials are kept.
    var credentials: CredentialStore {
        CredentialStore(authFile: authFile, variable: Environment.current.value) { Console.say("warning: \($0)") }
    }
}
