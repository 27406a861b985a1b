public import Bytes
public import SystemPackage

/// Why a command was not run in its root.
public enum SandboxError: Error, Hashable {
    case invalid(InvalidSpecification)
    /// Neither in the directories of `searched` nor, with a slash, at its path.
    case commandNotFound(ByteString, searched: ByteString)
    /// The file is there, but what starts it (the loader of an ELF file, the interpreter of a script) is not.
    case interpreterMissing(ByteString)
    /// The file is there and the kernel does not execute it: EACCES, ENOEXEC, EISDIR and others.
    case notExecutable(ByteString, Errno)
    case userNamespacesUnavailable(UserNamespaceObstacle, Errno)
    /// clone(2) refused mount, PID, IPC and UTS namespaces to root.
    case namespacesRefused(Errno)
    case overlayRefused(root: ByteString, Errno)
    /// mount(2) of a fresh /proc was refused, as it is where the host's own is partly masked.
    case procRefused(Errno)
    /// The kernel lacks a call of Linux 5.12.
    case kernelTooOld(SandboxStep)
    /// Any other step failed; `subject` is the path or thing it was done to.
    case setup(SandboxStep, subject: ByteString, Errno)
    /// Another run has this process's signals (``SignalPolicy/forward``).
    case signalsTaken
    /// A call of the calling process itself failed.
    case system(call: String, Errno)
    /// The sandbox's first process was killed from outside, by this signal when known, and with it the command.
    case killed(signal: Int32?)

    /// The status to exit with: 127 when the command was not found, 126 when it cannot be executed, 125 for all else,
    /// as container engines do.
    public var exitCode: Int32 {
        switch self {
        case .commandNotFound, .interpreterMissing: 127
        case .notExecutable: 126
        default: 125
        }
    }
}

/// What in a ``SandboxSpecification`` cannot be carried out.
public enum InvalidSpecification: Hashable, Sendable {
    case emptyCommand
    case emptyRoot
    /// The root is the host's own `/`, which no mount can cover.
    case hostRoot(ByteString)
    case containsNUL(ByteString)
    /// Not `NAME=value`.
    case variable(ByteString)
    /// Longer than 64 bytes.
    case hostname(ByteString)
}

extension SandboxError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalid(let what): what.description
        case .commandNotFound(let name, let searched):
            name.contains(UInt8(ascii: "/"))
                ? "\(name): not in the root"
                : "\(name): not found in the root (looked in \(searched))"
        case .interpreterMissing(let path):
            "\(path): is in the root, but the loader or script interpreter that it names is not"
        case .notExecutable(let path, let errno): "\(path): cannot be executed: \(errno)"
        case .userNamespacesUnavailable(let obstacle, let errno):
            "cannot create a user namespace: \(errno). \(obstacle.remedy)"
        case .namespacesRefused(let errno):
            "cannot create namespaces, although root: \(errno). A container or a seccomp filter forbids it; run "
                + "layerfs outside, or start the container with --privileged"
        case .overlayRefused(let root, let errno):
            "\(root): cannot be mounted as the lower directory of an overlay: \(errno). \(Self.overlayRemedy(errno))"
        case .procRefused(let errno):
            "cannot mount a fresh /proc: \(errno). The kernel refuses it where the present /proc is partly masked, as "
                + "in a container: start that with unmasked paths (docker run --security-opt systempaths=unconfined)"
        case .kernelTooOld(let step): "\(step): the kernel has no such call; running a root needs Linux 5.12 or newer"
        case .setup(.propagation, _, .invalidArgument):
            "cannot make mounts private: the root of this process is no mount point, as after chroot(8). Run layerfs "
                + "outside of it, or in a container, whose root is one"
        case .setup(let step, let subject, let errno): "\(step): \(subject): \(errno)"
        case .signalsTaken: "another command is already running with this process's signals and terminal"
        case .system(let call, let errno): "cannot run a command: \(errno) (\(call))"
        case .killed(let signal):
            "the sandbox was killed from outside" + (signal.map { " by signal \($0)" } ?? "")
        }
    }

    private static func overlayRemedy(_ errno: Errno) -> String {
        switch errno {
        case .operationNotSupportedByDevice: "The kernel has no overlay file system: load its module (modprobe overlay)"
        case .notPermitted, .permissionDenied: "Overlay without root needs Linux 5.11 or newer; run as root instead"
        case .invalidArgument:
            "The file system that holds it cannot be a lower directory, or something is mounted in it; materialize the "
                + "root on another file system, or enter it with chroot"
        default: "Materialize the root on another file system, or enter it with chroot"
        }
    }
}

extension InvalidSpecification: CustomStringConvertible {
    public var description: String {
        switch self {
        case .emptyCommand: "no command to run"
        case .emptyRoot: "no root to run the command in"
        case .hostRoot(let path): "\(path): is this machine's own root; a command needs another directory as its root"
        case .containsNUL(let text): "contains a NUL byte: \(text)"
        case .variable(let text): "not an environment variable (NAME=value): \(text)"
        case .hostname(let text): "host name longer than 64 bytes: \(text)"
        }
    }
}
