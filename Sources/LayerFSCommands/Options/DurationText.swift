import ArgumentParser

/// A duration as it is written on a command line: `90s`, `15m`, `36h`, `7d`.
enum DurationText {
    private static let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400]

    /// - Throws: a validation error for anything else.
    static func parse(_ text: String) throws -> Duration {
        guard let unit = text.last, let factor = units[unit], let count = UInt32(text.dropLast()) else {
            throw ValidationError("'\(text)' is no duration: write a number with s, m, h or d, as 36h.")
        }
        return .seconds(Int64(count) * factor)
    }
}
