/// Owners and permissions as they are written on a command line.
public enum OwnershipOption {
    /// `UID:GID`, in numbers: names mean different users in different roots.
    public static func owner(_ text: String) throws(LayerFSError) -> (uid: UInt32, gid: UInt32) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        // UInt32.max is chown(2)'s "leave it".
        guard parts.count == 2, let uid = number(parts[0]), let gid = number(parts[1]) else {
            throw .malformedOption(name: "--chown", value: text, expected: "two numbers, as 1000:1000")
        }
        return (uid, gid)
    }

    private static func number(_ text: Substring) -> UInt32? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return UInt32(text).flatMap { $0 < UInt32.max ? $0 : nil }
    }

    /// Octal permissions, at most 7777.
    public static func mode(_ text: String) throws(LayerFSError) -> UInt16 {
        guard (1...5).contains(text.utf8.count),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }),
            let mode = UInt16(text, radix: 8), mode <= 0o7777
        else { throw .malformedOption(name: "--chmod", value: text, expected: "octal permissions, as 0644") }
        return mode
    }
}
