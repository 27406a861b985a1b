import OCI
import RegistryProtocol

/// What a registry says of an error (distribution-spec, Error Codes): short, visible, without secrets.
enum ErrorBody {
    private static let limit = 16 << 10

    static func reason(of response: HTTPResponse, _ redactor: Redactor) async -> String {
        let bytes = await response.prefix(limit: limit)
        return shown(redactor.redact(text(bytes)))
    }

    /// `code: message` of each error; for anything else nothing: a page of HTML helps nobody.
    static func text(_ bytes: [UInt8]) -> String {
        guard let document = try? JSONValue(parsing: bytes) else { return "" }
        let errors = (document["errors"]?.elements ?? []).prefix(4).compactMap { error in
            let parts = [error["code"]?.string, error["message"]?.string].compactMap { $0 }.filter { !$0.isEmpty }
            return parts.isEmpty ? nil : parts.joined(separator: ": ")
        }
        if !errors.isEmpty { return errors.joined(separator: "; ") }
        return document["details"]?.string ?? document["error_description"]?.string ?? document["message"]?.string ?? ""
    }
}

/// Something that may work when it is tried again.
struct TransientFailure: Error {
    /// What it is when it was tried often enough.
    var failure: RegistryError
    var retryAfter: Duration?

    init(_ failure: RegistryError, retryAfter: Duration? = nil) {
        self.failure = failure
        self.retryAfter = retryAfter
    }

    /// An answer with a status that passes.
    init(_ response: HTTPResponse, what: String, reason: String) {
        retryAfter = response.header("Retry-After").flatMap { RetryPolicy.parseRetryAfter($0, now: WallClock.seconds) }
        let said = "status \(response.status)" + (reason.isEmpty ? "" : ", " + reason)
        failure = .busy(what: what, reason: said)
    }

    init(_ failure: TransportFailure, url: HTTPURL) {
        self.failure = failure.error(url: url)
    }
}
