/// How a command ended.
public enum CommandStatus: Hashable, Sendable {
    /// With this status, 0 to 255.
    case exited(UInt8)
    /// By this signal (signal(7)).
    case signalled(Int32)

    /// The status to exit with on behalf of the command, as shells do: 128 and the number for a signal.
    public var code: Int32 {
        switch self {
        case .exited(let status): Int32(status)
        case .signalled(let number): 128 + number
        }
    }
}
