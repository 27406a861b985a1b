public import Bytes
public import ELF
public import Posix

/// Why a closure cannot be made for what was asked for.
public enum ProgramError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No executable of this name in the directories searched.
    case unknownName(ByteString, searched: [ByteString], similar: [ByteString])
    /// The path leads nowhere.
    case unreachable(path: ByteString, LookupFailure)
    case isDirectory(path: ByteString)
    /// A device, fifo or socket.
    case notRegularFile(path: ByteString)
    case unreadable(path: ByteString, SystemError)
    /// An ELF file that the kernel or the loader would refuse.
    case damaged(path: ByteString, ELFError)
    /// A relocatable object, a core dump: ELF, but not to be started or loaded.
    case notLoadable(path: ByteString)
    /// Neither ELF nor a script.
    case notProgram(path: ByteString)
    /// A script whose `#!` line the kernel refuses.
    case invalidShebang(path: ByteString, ShebangError)

    public var description: String {
        switch self {
        case .unknownName(let name, let searched, let similar):
            "no program '\(name)' in \(searched.map(\.description).joined(separator: ":"))"
                + (similar.isEmpty
                    ? "; give its path, or the directory in PATH"
                    : "; is it \(similar.map(\.description).joined(separator: ", "))?")
        case .unreachable(let path, let failure):
            failure.at == path ? "\(failure)" : "\(path): \(failure)"
        case .isDirectory(let path): "\(path) is a directory, not a program"
        case .notRegularFile(let path): "\(path) is not a regular file"
        case .unreadable(let path, let error): "cannot read \(path): \(error)"
        case .damaged(let path, let error): "\(path): \(error)"
        case .notLoadable(let path): "\(path) is an ELF file, but neither a program nor a shared object"
        case .notProgram(let path): "\(path) is neither an ELF file nor a script"
        case .invalidShebang(let path, let error): "\(path): \(error)"
        }
    }
}
