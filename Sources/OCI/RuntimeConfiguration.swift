/// The `config.json` of a bundle, as runc and crun take it (runtime-spec, config.md and config-linux.md).
///
/// As `runc spec` and container engines have it: new namespaces, a network of its own with nothing in it, Docker's usual
/// capabilities and nothing to be gained by setuid programs, the parts of /proc and /sys that tell of or change the machine hidden.
public struct RuntimeConfiguration: Hashable, Sendable {
    /// Not empty.
    public var arguments: [String]
    /// `NAME=value`.
    public var environment: [String]
    public var workingDirectory: String
    public var uid: UInt32
    public var gid: UInt32
    public var hostname: String
    public var annotations: [String: String]
    /// The user who starts the container without being root: the container's root is this one outside. nil for root.
    public var rootless: (uid: UInt32, gid: UInt32)? {
        get { mapping.map { ($0.uid, $0.gid) } }
        set { mapping = newValue.map { Mapping(uid: $0.uid, gid: $0.gid) } }
    }

    private struct Mapping: Hashable, Sendable {
        var uid: UInt32
        var gid: UInt32
    }

    private var mapping: Mapping?

    public init(
        arguments: [String], environment: [String], workingDirectory: String, uid: UInt32, gid: UInt32,
        hostname: String,
        annotations: [String: String]
    ) {
        (self.arguments, self.environment, self.workingDirectory) = (arguments, environment, workingDirectory)
        (self.uid, self.gid, self.hostname, self.annotations) = (uid, gid, hostname, annotations)
    }

    /// The document, always the same bytes for the same value.
    public var canonicalBytes: [UInt8] {
        JSONValue.object([
            "ociVersion": .string("1.0.2"), "process": process,
            "root": .object(["path": .string("rootfs"), "readonly": .bool(false)]), "hostname": .string(hostname),
            "mounts": .array(mounts), "annotations": annotations.isEmpty ? nil : .strings(annotations),
            "linux": linux,
        ]).canonicalBytes
    }

    private var process: JSONValue {
        let all = JSONValue.strings(Self.capabilities)
        // Another user than root has none until it executes a program that has (capabilities(7)).
        let own = uid == 0 ? all : JSONValue.strings([])
        return .object([
            "terminal": .bool(false),
            "user": .object(["uid": .integer(Int64(uid)), "gid": .integer(Int64(gid))]),
            "args": .strings(arguments), "env": .strings(environment), "cwd": .string(workingDirectory),
            "capabilities": .object(["bounding": all, "effective": own, "permitted": own]),
            "noNewPrivileges": .bool(true),
            "rlimits": .array([
                .object(["type": .string("RLIMIT_NOFILE"), "hard": .integer(1024), "soft": .integer(1024)])
            ]),
        ])
    }

    private static let capabilities = [
        "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
        "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
    ]

    private var mounts: [JSONValue] {
        func mount(_ place: String, _ type: String, _ source: String, _ options: [String]) -> JSONValue {
            .object([
                "destination": .string(place), "type": .string(type), "source": .string(source),
                "options": options.isEmpty ? nil : .strings(options),
            ])
        }
        let terminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
        var mounts = [
            mount("/proc", "proc", "proc", []),
            mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            // The group tty, which a user who maps no further groups does not have.
            mount("/dev/pts", "devpts", "devpts", terminals + (mapping == nil ? ["gid=5"] : [])),
            mount("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
            mount("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
        ]
        if mapping == nil {
            mounts.append(mount("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"]))
            mounts.append(
                mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"]))
        } else {
            // The kernel refuses a new one to a user without a network namespace of its own.
            mounts.append(mount("/sys", "none", "/sys", ["rbind", "nosuid", "noexec", "nodev", "ro"]))
        }
        return mounts
    }

    private var linux: JSONValue {
        var namespaces = ["pid", "network", "ipc", "uts", "mount"]
        if mapping != nil { namespaces.append("user") } else { namespaces.append("cgroup") }
        func map(_ outside: UInt32) -> JSONValue {
            .array([
                .object(["containerID": .integer(0), "hostID": .integer(Int64(outside)), "size": .integer(1)])
            ])
        }
        let deviceRule = JSONValue.object(["allow": .bool(false), "access": .string("rwm")])
        return .object([
            "namespaces": .array(namespaces.map { .object(["type": .string($0)]) }),
            "uidMappings": mapping.map { map($0.uid) }, "gidMappings": mapping.map { map($0.gid) },
            "resources": mapping == nil ? .object(["devices": .array([deviceRule])]) : nil,
            "maskedPaths": .strings([
                "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
                "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware",
            ]),
            "readonlyPaths": .strings(["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]),
        ])
    }
}
