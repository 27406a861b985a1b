/// When a request is made again, and after what time.
public struct RetryPolicy: Sendable {
    /// How often a request is made at most.
    public var attempts = 5
    /// Before the second attempt; doubles with each further one.
    public var firstDelay: Duration = .milliseconds(500)
    public var longestDelay: Duration = .seconds(30)
    /// How long a server's own wish to wait is followed.
    public var patience: Duration = .seconds(120)
    /// How much of a delay is left to chance, so that many clients do not come back at the same moment.
    public var jitter = 0.25
    /// Waits.
    public var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    public init() {}

    /// What passes by itself (RFC 9110, section 15; RFC 6585 for 429).
    static func isTransient(_ status: Int) -> Bool { [408, 425, 429, 500, 502, 503, 504].contains(status) }

    /// The time to wait before attempt number `attempt`, of which the second is 2.
    ///
    /// - Parameters:
    ///   - retryAfter: what the server asks for; it is never undercut.
    ///   - chance: from 0 to 1.
    /// - Returns: nil when there is to be no such attempt.
    func delay(beforeAttempt attempt: Int, retryAfter: Duration?, chance: Double) -> Duration? {
        guard attempt <= attempts else { return nil }
        if let retryAfter, retryAfter > patience { return nil }
        let doubled = firstDelay * (1 << min(max(attempt - 2, 0), 16))
        let own = min(doubled, longestDelay) * (1 - jitter * chance)
        return max(own, retryAfter ?? .zero)
    }

    /// The value of a `Retry-After` header (RFC 9110, section 10.2.3).
    ///
    /// - Parameter now: seconds since 1970.
    static func parseRetryAfter(_ text: String, now: Int64) -> Duration? {
        if let seconds = Int64(text), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return .seconds(min(seconds, 1 << 31))
        }
        guard let time = HTTPDate.seconds(text) else { return nil }
        return .seconds(max(0, time - now))
    }
}

/// A time as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7); not the obsolete forms.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970.
    static func seconds(_ text: String) -> Int64? {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 6, words[5] == "GMT", let month = months.firstIndex(of: String(words[2])),
            let day = number(words[1], 1...31), let year = number(words[3], 1970...9999)
        else { return nil }
        let time = words[4].split(separator: ":", omittingEmptySubsequences: false)
        guard time.count == 3, let hour = number(time[0], 0...23), let minute = number(time[1], 0...59),
            let second = number(time[2], 0...60)
        else { return nil }
        // Days from the civil date, years beginning in March (H. Hinnant, chrono-compatible low-level date algorithms).
        let shifted = month >= 2 ? year : year - 1
        let dayOfYear = (153 * Int64((month + 10) % 12) + 2) / 5 + day - 1
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return ((days * 24 + hour) * 60 + minute) * 60 + second
    }

    private static func number(_ text: Substring, _ range: ClosedRange<Int64>) -> Int64? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int64(text), range.contains(value)
        else {
            return nil
        }
        return value
    }
}
