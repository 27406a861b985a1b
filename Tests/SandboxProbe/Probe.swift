import Bytes
import Glibc
import Sandbox

/// Runs one command in one root, for tests that need a process of their own: another user, signals, a terminal.
///
///     sandbox-probe [-e NAME=value] [-w DIRECTORY] [-u UID:GID] [-h HOSTNAME] [-s BYTES] [-n] ROOT COMMAND [ARGUMENT]
@main
enum Probe {
    static func main() {
        do throws(SandboxError) {
            exit(try specification(CommandLine.arguments.dropFirst()).run().code)
        } catch {
            say("sandbox-probe: \(error)")
            exit(error.exitCode)
        }
    }

    private static func specification(_ arguments: ArraySlice<String>) -> SandboxSpecification {
        var rest = arguments
        var result = SandboxSpecification(root: "", command: [])
        while let option = rest.first, option.hasPrefix("-") {
            rest.removeFirst()
            if option == "-n" {
                result.signals = .leave
                continue
            }
            guard let value = rest.popFirst() else { usage() }
            switch option {
            case "-e": result.environment.append(ByteString(value))
            case "-h": result.hostname = ByteString(value)
            case "-s": result.scratchLimit = UInt64(value)
            case "-w":
                guard let path = try? TreePath(ByteString(value)) else { usage() }
                result.workingDirectory = path
            case "-u":
                let numbers = value.split(separator: ":").compactMap { UInt32($0) }
                guard numbers.count == 2 else { usage() }
                result.user = SandboxUser(uid: numbers[0], gid: numbers[1])
            default: usage()
            }
        }
        guard let root = rest.popFirst() else { usage() }
        result.root = ByteString(root)
        result.command = rest.map { ByteString($0) }
        return result
    }

    private static func usage() -> Never {
        say("usage: sandbox-probe [-e NAME=value] [-w DIR] [-u UID:GID] [-h NAME] [-s BYTES] [-n] ROOT COMMAND...")
        exit(64)
    }

    private static func say(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}
