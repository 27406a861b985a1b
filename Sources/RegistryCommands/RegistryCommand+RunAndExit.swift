import ArgumentParser
import Dispatch
import Glibc
import LayerFSCommands
import Posix

extension RegistryCommand {
    /// Runs the command line of this process and ends the process with the exit code that `layerfs --help` documents.
    package static func runAndExit() -> Never {
        // Writing to a closed pipe or connection is an error of the call, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        StandardStreams.ensureOpen()
        Interruption.noteSignals()
        LargeBlocks.areReturned()
        do {
            let arguments = RawArguments.ofProcess()
            var command = try parsePlainly(arguments) ?? parseVerb(arguments)
            if var networked = command as? any AsyncParsableCommand { run { try await networked.run() } }
            try command.run()
            Glibc.exit(0)
        } catch {
            end(with: error)
        }
    }

    /// Does `work` on other threads, and ends the process with what comes of it. An asynchronous `main` would end this thread, for
    /// which the C library loads a library.
    private static func run(_ work: sending @escaping () async throws -> Void) -> Never {
        Task {
            do {
                try await work()
                Glibc.exit(0)
            } catch {
                end(with: error)
            }
        }
        while true { pause() }
    }

    private static func end(with error: any Error) -> Never {
        if let error = error as? Console.OutputError, error.isBrokenPipe { Glibc.exit(0) }
        guard let code = RegistryErrorReport.exitCode(for: error) ?? ErrorReport.exitCode(for: error) else {
            exit(withError: error)
        }
        Console.say("layerfs: \(ErrorReport.message(for: error))")
        Glibc.exit(code)
    }
}

/// Does `body`, and gives it up when the process is told to end.
///
/// - Throws: `Interruption`, what `body` throws.
func interruptibly<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask(operation: body)
        group.addTask {
            while true {
                try Interruption.check()
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        // The one that ends first decides; the group waits for the other, which is cancelled.
        defer { group.cancelAll() }
        guard let result = try await group.next() else { throw CancellationError() }
        return result
    }
}

/// Does `body`, which blocks, on another thread than those that asynchronous work is for.
func inBackground<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: body()) }
    }
}
