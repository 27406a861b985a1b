import Bytes

/// The files that a run opened, as strace(1) wrote them down.
///
/// Calls of open, openat, openat2 and execve count when they succeeded; those that only wrote do not. Lines may begin with a
/// process number (`1234 ` or `[pid 1234] `) and times (-t, -r); calls that others interrupted are put together again; with -y
/// the directories of relative paths are known. Anything else is passed over.
struct StraceLog {
    /// In the order of the log, each once; relative where the log does not tell the directory.
    private(set) var opened: [ByteString] = []
    /// Those of them that were executed. The kernel opens their interpreters, of which the log says nothing.
    private(set) var executed: [ByteString] = []
    private var seen: Set<ByteString> = []
    /// The beginning of the call that each process is in, when another's line came between.
    private var unfinished: [ByteString: ByteString] = [:]

    init(_ bytes: [UInt8]) {
        for line in bytes.split(separator: UInt8(ascii: "\n")) { read(ByteString(line)) }
    }

    private mutating func read(_ line: ByteString) {
        var scanner = Scanner(line.bytes[...])
        let process = scanner.takeProcess()
        scanner.skipTimes()
        if scanner.take("<... ") {
            guard scanner.skip(past: " resumed>"), let start = unfinished.removeValue(forKey: process) else { return }
            return readCall(start + ByteString(scanner.rest))
        }
        let call = ByteString(scanner.rest)
        let mark: ByteString = " <unfinished ...>"
        guard call.hasSuffix(mark) else { return readCall(call) }
        unfinished[process] = ByteString(call.bytes.dropLast(mark.count))
    }

    private mutating func readCall(_ call: ByteString) {
        var scanner = Scanner(call.bytes[...])
        guard let name = Self.calls.first(where: { scanner.take($0 + "(") }) else { return }
        var directory: ByteString?
        if name.hasPrefix("openat") {
            guard let place = scanner.takeDirectory() else { return }
            directory = place.path
        }
        guard let path = scanner.takeString(), !path.isEmpty, scanner.succeeded else { return }
        if name != "execve", scanner.onlyWrites { return }
        let isAbsolute = path.bytes.first == UInt8(ascii: "/")
        let full = isAbsolute ? path : directory.map { $0 + "/" + path } ?? path
        if seen.insert(full).inserted { opened.append(full) }
        if name == "execve", !executed.contains(full) { executed.append(full) }
    }

    private static let calls: [ByteString] = ["openat", "open", "openat2", "execve"]
}

/// Reads a line from left to right.
private struct Scanner {
    private(set) var rest: ArraySlice<UInt8>

    init(_ rest: ArraySlice<UInt8>) { self.rest = rest }

    mutating func take(_ text: ByteString) -> Bool {
        guard rest.starts(with: text.bytes) else { return false }
        rest = rest.dropFirst(text.count)
        return true
    }

    mutating func skip(past text: ByteString) -> Bool {
        guard let range = rest.firstRange(of: text.bytes) else { return false }
        rest = rest[range.upperBound...]
        return true
    }

    private mutating func takeWhile(_ isWanted: (UInt8) -> Bool) -> ByteString {
        let taken = rest.prefix(while: isWanted)
        rest = rest[taken.endIndex...]
        return ByteString(taken)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") }

    /// The number of the process; empty where the line has none.
    mutating func takeProcess() -> ByteString {
        if take("[pid") {
            _ = takeWhile(Self.isBlank)
            let number = takeWhile(Self.isDigit)
            _ = skip(past: "]")
            _ = takeWhile(Self.isBlank)
            return number
        }
        var ahead = self
        let number = ahead.takeWhile(Self.isDigit)
        // A time has a colon or point after its digits.
        guard !number.isEmpty, ahead.rest.first.map(Self.isBlank) == true else { return "" }
        self = ahead
        _ = takeWhile(Self.isBlank)
        return number
    }

    /// `12:34:56`, `12:34:56.789012`, `1700000000.123456`, or `+0.000123`, as often as there are any.
    mutating func skipTimes() {
        while let first = rest.first, Self.isDigit(first) || first == UInt8(ascii: "+") || Self.isBlank(first) {
            _ = takeWhile { Self.isDigit($0) || Array(" +:.".utf8).contains($0) }
        }
    }

    /// What a relative path is relative to; nil where the log does not tell.
    struct Directory {
        var path: ByteString?
    }

    /// `AT_FDCWD, ` or `3, `, with -y `AT_FDCWD</home>, `; nil when it is something else.
    mutating func takeDirectory() -> Directory? {
        guard take("AT_FDCWD") || !takeWhile(Self.isDigit).isEmpty else { return nil }
        var path: ByteString?
        if take("<") {
            path = takeWhile { $0 != UInt8(ascii: ">") }
            guard take(">") else { return nil }
        }
        return take(", ") ? Directory(path: path) : nil
    }

    /// A C string in quotes, its escapes undone; nil when there is none, or it was cut short (`"..."...`).
    mutating func takeString() -> ByteString? {
        guard take("\"") else { return nil }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return rest.starts(with: Array("...".utf8)) ? nil : ByteString(bytes)
            case UInt8(ascii: "\\"):
                guard let escaped = takeEscape() else { return nil }
                bytes.append(escaped)
            default: bytes.append(byte)
            }
        }
        return nil
    }

    private mutating func takeEscape() -> UInt8? {
        guard let byte = rest.first else { return nil }
        if (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(byte) {
            let digits = rest.prefix(3).prefix { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
            rest = rest[digits.endIndex...]
            return UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
        }
        rest.removeFirst()
        switch byte {
        case UInt8(ascii: "x"):
            let digits = rest.prefix(2)
            rest = rest[digits.endIndex...]
            return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "v"): return 0x0b
        case UInt8(ascii: "f"): return 0x0c
        default: return byte
        }
    }

    /// Whether the call returned a number that is no error: `) = 3`, and not `) = -1 ENOENT (…)`. strace aligns short lines
    /// with further blanks.
    var succeeded: Bool {
        for index in rest.indices.reversed() where rest[index] == UInt8(ascii: ")") {
            let result = rest[(index + 1)...].drop(while: Self.isBlank)
            guard result.first == UInt8(ascii: "=") else { continue }
            return result.dropFirst().drop(while: Self.isBlank).first.map(Self.isDigit) ?? false
        }
        return false
    }

    /// Whether the flags ask for no reading.
    var onlyWrites: Bool {
        rest.firstRange(of: Array("O_WRONLY".utf8)) != nil || rest.firstRange(of: Array("O_TMPFILE".utf8)) != nil
    }
}
