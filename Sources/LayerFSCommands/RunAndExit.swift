import ArgumentParser
import Glibc
import LayerFSKit
import LayerStore
import Loader
import Posix
import Sandbox
import Trees

extension LayerFSCommand {
    /// Runs the command line of this process and ends the process with the documented exit code.
    public static func runAndExit() -> Never {
        // Writing to a closed pipe and exceeding a file size limit are errors of the call, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        StandardStreams.ensureOpen()
        Interruption.noteSignals()
        do {
            let arguments = RawArguments.ofProcess()
            // Asked by scripts again and again, and known without the parser's tables of all verbs.
            if arguments == ["--version"] {
                try Console.print(LayerFSVersion.line)
                Glibc.exit(0)
            }
            try OpenFileLimit.raise()
            LargeBlocks.areReturned()
            if try RegistryProgram.becomeIfAsked(arguments) { Glibc.exit(0) }
            var command = try parsePlainly(arguments) ?? parseVerb(arguments)
            try command.run()
            Glibc.exit(0)
        } catch {
            end(with: error)
        }
    }

    private static func end(with error: any Error) -> Never {
        if let error = error as? Console.OutputError, error.isBrokenPipe { Glibc.exit(0) }
        guard let code = ErrorReport.exitCode(for: error) else {
            // Help, version and wrong usage: the parser words them, and chooses 0 or 64.
            exit(withError: error)
        }
        Console.say("layerfs: \(ErrorReport.message(for: error))")
        Glibc.exit(code)
    }
}
