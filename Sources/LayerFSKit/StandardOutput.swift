import Bytes
import Posix

/// Standard output as the target of an export.
enum StandardOutput {
    /// A descriptor of its own, so that closing it leaves the process's alone.
    static func take() throws(SystemError) -> OwnedDescriptor {
        try OwnedDescriptor(duplicating: 1, path: "standard output")
    }
}

/// Standard input as a file to read from.
enum StandardInput {
    static func take() throws(SystemError) -> OwnedDescriptor {
        try OwnedDescriptor(duplicating: 0, path: "standard input")
    }
}
