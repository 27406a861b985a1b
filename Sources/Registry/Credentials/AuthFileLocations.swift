import Bytes

/// Where files of credentials lie, the first that knows the registry being the one that counts (containers-auth.json(5), docker
/// config).
struct AuthFileLocations: Hashable, Sendable {
    /// In the order in which they are read.
    var paths: [String] = []
    /// The content of one more, before all others (DOCKER_AUTH_CONFIG).
    var inline: String?
    /// Whether a file was named, so that its absence is no accident.
    var isExplicit = false
    /// Where credentials are kept when none of the files is there.
    var usual: String?

    /// - Parameters:
    ///   - option: the file that a person named; then no other is looked at.
    ///   - variable: the environment; nil for what is unset or empty.
    ///   - uid: that of the process.
    init(option: String?, uid: UInt32, variable: (String) -> String?) {
        if let file = option ?? variable("REGISTRY_AUTH_FILE") {
            (paths, isExplicit, usual) = ([file], true, file)
            return
        }
        inline = variable("DOCKER_AUTH_CONFIG")
        let home = variable("HOME")
        let runtime = variable("XDG_RUNTIME_DIR") ?? "/run/containers/\(uid)"
        let configuration = variable("XDG_CONFIG_HOME") ?? home.map { $0 + "/.config" }
        let docker = variable("DOCKER_CONFIG") ?? home.map { $0 + "/.docker" }
        usual = configuration.map { $0 + "/containers/auth.json" }
        paths = [
            variable("XDG_RUNTIME_DIR") == nil ? runtime + "/auth.json" : runtime + "/containers/auth.json", usual,
            docker.map { $0 + "/config.json" },
        ].compactMap { $0 }
        if variable("DOCKER_CONFIG") != nil, let file = docker.map({ $0 + "/config.json" }) {
            // Who names a directory means it.
            paths = [file] + paths.filter { $0 != file }
            usual = file
        }
    }
}
