/// The defaults of a container made from an image: the `config` of its configuration (image-spec, config.md).
public struct Execution: Hashable, Sendable {
    /// `user`, `uid`, `user:group` or `uid:gid`.
    public var user: String?
    /// `port`, `port/tcp` or `port/udp`.
    public var exposedPorts: [String]
    /// `NAME=VALUE` each, in order.
    public var environment: [String]
    public var entrypoint: [String]?
    public var command: [String]?
    public var volumes: [String]
    public var workingDirectory: String?
    public var labels: [String: String]
    /// `SIGNAME` or `SIGRTMIN+3`.
    public var stopSignal: String?

    public init(
        user: String? = nil, exposedPorts: [String] = [], environment: [String] = [], entrypoint: [String]? = nil,
        command: [String]? = nil, volumes: [String] = [], workingDirectory: String? = nil,
        labels: [String: String] = [:], stopSignal: String? = nil
    ) {
        self.user = user
        self.exposedPorts = exposedPorts
        self.environment = environment
        self.entrypoint = entrypoint
        self.command = command
        self.volumes = volumes
        self.workingDirectory = workingDirectory
        self.labels = labels
        self.stopSignal = stopSignal
    }

    init(_ field: JSONField) throws(OCIError) {
        user = try field.optional("User")?.string()
        exposedPorts = try field.optional("ExposedPorts")?.stringSet() ?? []
        environment = []
        for variable in try field.optional("Env")?.elements() ?? [] {
            let text = try variable.string()
            guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")), equals != text.startIndex else {
                throw variable.invalid("of the form NAME=VALUE")
            }
            environment.append(text)
        }
        entrypoint = try field.optional("Entrypoint")?.strings()
        command = try field.optional("Cmd")?.strings()
        volumes = try field.optional("Volumes")?.stringSet() ?? []
        workingDirectory = try field.optional("WorkingDir")?.string()
        labels = try field.optional("Labels")?.stringMap() ?? [:]
        stopSignal = try field.optional("StopSignal")?.string()
    }

    /// Whether nothing is set.
    public var isEmpty: Bool { self == Execution() }

    var json: JSONValue {
        .object([
            "User": user.map { .string($0) }, "ExposedPorts": exposedPorts.isEmpty ? nil : .set(exposedPorts),
            "Env": environment.isEmpty ? nil : .strings(environment), "Entrypoint": entrypoint.map { .strings($0) },
            "Cmd": command.map { .strings($0) }, "Volumes": volumes.isEmpty ? nil : .set(volumes),
            "WorkingDir": workingDirectory.map { .string($0) }, "Labels": labels.isEmpty ? nil : .strings(labels),
            "StopSignal": stopSignal.map { .string($0) },
        ])
    }
}
