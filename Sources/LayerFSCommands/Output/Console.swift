import Bytes
import Foundation
import Glibc
package import LayerFSKit

/// The two streams of a command: results on standard output, everything else on standard error.
package struct Console: Sendable {
    let isQuiet: Bool
    let isVerbose: Bool
    let progress: ProgressStyle

    package static var standardInputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Writes a result, with a newline.
    package func result(_ text: String) throws { try Self.print(text) }

    /// The same before any option was read.
    static func print(_ text: String) throws { try write(Array((text + "\n").utf8), to: STDOUT_FILENO) }

    /// Writes results given as raw bytes: paths that need not be text.
    func result(bytes: [UInt8]) throws { try Self.write(bytes, to: STDOUT_FILENO) }

    /// Writes a result as JSON: sorted keys, plain slashes, indented.
    package func result(json value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        try Self.write([UInt8](encoder.encode(value)) + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
    }

    /// Says what was done; silent with --quiet.
    package func note(_ text: String) { if !isQuiet { Self.say(text) } }

    /// Says what only the curious want; with --verbose.
    package func detail(_ text: String) { if isVerbose { Self.say(text) } }

    /// Says what may surprise; never silent.
    package func warn(_ text: String) { Self.say("warning: \(text)") }

    /// Runs `body` while its progress is shown.
    package func whileWatching<Result>(_ body: (ProgressMeter) throws -> Result) rethrows -> Result {
        let watched = ProgressMeter()
        let display = ProgressDisplay(style: isQuiet ? .none : progress) { [watched.current] }
        defer { display.end() }
        return try body(watched)
    }

    /// Runs `body` while `states`, the pieces of work that go on at the moment, are shown.
    package func whileWatching<Result>(
        _ states: @escaping @Sendable () -> [ProgressMeter.State], _ body: () async throws -> Result
    ) async rethrows -> Result {
        let display = ProgressDisplay(style: isQuiet ? .none : progress, states)
        defer { display.end() }
        return try await body()
    }

    /// Writes a line to standard error; that it cannot be written is no reason to fail.
    package static func say(_ text: String) { try? write(Array((text + "\n").utf8), to: STDERR_FILENO) }

    /// Standard output could not be written.
    package struct OutputError: Error, CustomStringConvertible {
        let errno: Int32

        /// EPIPE: the reader has what it wanted.
        package var isBrokenPipe: Bool { errno == EPIPE }
        package var description: String { "cannot write to standard output: \(String(cString: strerror(errno)))" }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw OutputError(errno: errno)
            }
            written += count
        }
    }
}
