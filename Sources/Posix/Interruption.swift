import CLinux

/// The process was told to end, by SIGINT, SIGTERM or SIGHUP.
///
/// Work that makes files would leave them half done if the signal ended the process. Instead the signal is noted, long work asks
/// at every step, and the error takes the usual way out, on which everything is cleaned up.
public struct Interruption: Error, Hashable, CustomStringConvertible {
    /// The number of the signal (signal(7)).
    public let signal: Int32

    /// Notes the first signal of each kind from now on; a second one ends the process.
    public static func noteSignals() { clinux_note_interruptions() }

    /// - Throws: itself, when a signal was noted.
    public static func check() throws(Interruption) {
        let signal = clinux_interrupting_signal()
        if signal != 0 { throw Interruption(signal: signal) }
    }

    public var description: String { "interrupted; nothing half-done is left" }
}

/// The standard streams of the process.
public enum StandardStreams {
    /// Opens /dev/null in place of those that are closed: otherwise the first files opened would get their numbers, and
    /// messages would be written into them.
    public static func ensureOpen() { _ = clinux_open_standard_streams() }
}
