import Synchronization

/// Knows the secrets of a session, and takes them out of texts that are shown.
final class Redactor: Sendable {
    private let secrets = Mutex<Set<String>>([])

    func add(_ secret: String) {
        // Something this short would take half of a message away, and guards nothing.
        if secret.utf8.count >= 4 { _ = secrets.withLock { $0.insert(secret) } }
    }

    func redact(_ text: String) -> String {
        secrets.withLock { $0 }.sorted { $0.utf8.count > $1.utf8.count }.reduce(text) {
            $0.split(separator: $1, omittingEmptySubsequences: false).joined(separator: "***")
        }
    }
}
