/// Times as OCI documents write them (RFC 3339, section 5.6).
public enum RFC3339 {
    /// `seconds` since 1970 as a UTC time with whole seconds: `1970-01-01T00:00:00Z`.
    ///
    /// The form has years of four digits: times outside 0000 to 9999 become its first or last second.
    public static func text(secondsSinceEpoch seconds: Int64) -> String {
        let bounded = min(max(seconds, -62_167_219_200), 253_402_300_799)
        let day = Int((bounded >= 0 ? bounded : bounded - 86_399) / 86_400)
        let second = Int(bounded) - day * 86_400
        // Days to civil date in the proleptic Gregorian calendar, eras of 400 years beginning in March
        // (H. Hinnant, chrono-Compatible Low-Level Date Algorithms). Year 0 is not negative after the shift.
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let date = (
            year: yearOfEra + era * 400 + (month >= 10 ? 1 : 0), month: month < 10 ? month + 3 : month - 9,
            day: dayOfYear - (153 * month + 2) / 5 + 1
        )
        return padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2) + "T"
            + padded(second / 3_600, 2) + ":" + padded(second / 60 % 60, 2) + ":" + padded(second % 60, 2) + "Z"
    }

    /// Whether `text` is a time: `2015-10-31T22:22:56.015925234Z`, or with an offset like `+02:00` for the `Z`.
    public static func isValid(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            return bytes[range].reduce(0) { sum, byte in
                sum.flatMap { (0x30...0x39).contains(byte) ? $0 * 10 + Int(byte - 0x30) : nil }
            }
        }
        func isByte(_ index: Int, _ characters: String) -> Bool {
            index < bytes.count && characters.utf8.contains(bytes[index])
        }
        guard number(0..<4) != nil, isByte(4, "-"), let month = number(5..<7), (1...12).contains(month), isByte(7, "-"),
            let day = number(8..<10), (1...31).contains(day), isByte(10, "Tt"),
            let hour = number(11..<13), hour < 24, isByte(13, ":"), let minute = number(14..<16), minute < 60,
            isByte(16, ":"), let second = number(17..<19), second <= 60
        else { return false }
        var end = 19
        if isByte(end, ".") {
            let fraction = bytes[(end + 1)...].prefix { (0x30...0x39).contains($0) }
            guard !fraction.isEmpty else { return false }
            end = fraction.endIndex
        }
        if isByte(end, "Zz") { return bytes.count == end + 1 }
        guard isByte(end, "+-"), isByte(end + 3, ":"), bytes.count == end + 6,
            let hours = number((end + 1)..<(end + 3)), let minutes = number((end + 4)..<(end + 6))
        else { return false }
        return hours < 24 && minutes < 60
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
