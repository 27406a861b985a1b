import CSandbox

/// What was being done to set up a sandbox, in its order.
public enum SandboxStep: Hashable, Sendable {
    case start, streams, parent, identity, propagation, root, scratch, overlay, devices, proc, sys, pivot, hostname
    case privileges, initialProcess, user, workingDirectory
    /// execve(2) of the command.
    case execute
    /// The command is there, the interpreter or loader it names is not.
    case interpreter
}

extension SandboxStep {
    init(_ step: csandbox_step) {
        self =
            switch step {
            case CSANDBOX_STEP_STREAMS: .streams
            case CSANDBOX_STEP_PARENT: .parent
            case CSANDBOX_STEP_IDENTITY: .identity
            case CSANDBOX_STEP_PROPAGATION: .propagation
            case CSANDBOX_STEP_ROOT: .root
            case CSANDBOX_STEP_SCRATCH: .scratch
            case CSANDBOX_STEP_OVERLAY: .overlay
            case CSANDBOX_STEP_DEVICES: .devices
            case CSANDBOX_STEP_PROC: .proc
            case CSANDBOX_STEP_SYS: .sys
            case CSANDBOX_STEP_PIVOT: .pivot
            case CSANDBOX_STEP_HOSTNAME: .hostname
            case CSANDBOX_STEP_PRIVILEGES: .privileges
            case CSANDBOX_STEP_INIT: .initialProcess
            case CSANDBOX_STEP_USER: .user
            case CSANDBOX_STEP_WORKING_DIRECTORY: .workingDirectory
            case CSANDBOX_STEP_EXECUTE: .execute
            case CSANDBOX_STEP_INTERPRETER: .interpreter
            default: .start
            }
    }
}

extension SandboxStep: CustomStringConvertible {
    public var description: String {
        switch self {
        case .start: "creating namespaces"
        case .streams: "checking stdin, stdout and stderr"
        case .parent: "following the parent process"
        case .identity: "mapping the user"
        case .propagation: "making mounts private"
        case .root: "opening the root"
        case .scratch: "mounting the scratch tmpfs"
        case .overlay: "mounting the overlay"
        case .devices: "making /dev"
        case .proc: "mounting /proc"
        case .sys: "mounting /sys"
        case .pivot: "changing the root"
        case .hostname: "setting the host name"
        case .privileges: "dropping privileges"
        case .initialProcess: "starting the command's process"
        case .user: "changing the user"
        case .workingDirectory: "entering the working directory"
        case .execute: "executing the command"
        case .interpreter: "starting the command's interpreter"
        }
    }
}
