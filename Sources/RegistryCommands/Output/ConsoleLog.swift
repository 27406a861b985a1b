import LayerFSCommands
import Logging

/// Log messages as lines on standard error.
struct ConsoleLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        Console.say(event.level >= .warning ? "warning: \(event.message)" : "\(event.message)")
    }
}
