import Bytes

/// Finds a loader's constants in its bytes, without running it.
///
/// They are C strings of the read-only data: the system directories follow each other, NUL-separated (`system_dirs` of
/// glibc's elf/dl-load.c), the capabilities are one colon-separated string (`_dl_hwcaps_subdirs`), and the version is
/// in the text that `ld.so --version` prints.
struct LoaderScan {
    private(set) var systemDirectories: [ByteString]?
    private(set) var hardwareCapabilities: [ByteString]?
    private(set) var version: GlibcVersion?

    init(_ bytes: [UInt8]) {
        // The directories read so far of the run that the scan is in.
        var run: [ByteString] = []
        for text in Self.texts(of: bytes) {
            guard let text else {
                close(&run)
                continue
            }
            if Self.isSystemDirectory(bytes[text]) {
                run.append(ByteString(bytes[text]))
            } else {
                close(&run)
                examine(bytes[text])
            }
        }
        close(&run)
    }

    /// Where the zero-terminated texts lie, one after the other; nil for whatever else is between two of them.
    private static func texts(of bytes: [UInt8]) -> [Range<Int>?] {
        bytes.withUnsafeBytes { bytes in
            var texts: [Range<Int>?] = []
            var (start, isBetween) = (0, true)
            while start < bytes.count {
                var end = start
                while end < bytes.count, bytes[end] != 0 { end += 1 }
                // Most of a binary's zero-terminated pieces are short and no text.
                let isPlain = end - start >= shortestText && isText(bytes[start])
                if isPlain { texts.append(start..<end) } else if !isBetween { texts.append(nil) }
                isBetween = !isPlain
                start = end + 1
            }
            return texts
        }
    }

    private static let shortestText = 5
    private static let longestText = 512

    /// Takes the longest run of directories; the loader holds shorter ones for messages.
    private mutating func close(_ run: inout [ByteString]) {
        guard !run.isEmpty else { return }
        if run.count > systemDirectories?.count ?? 0 { systemDirectories = run }
        run.removeAll()
    }

    private mutating func examine(_ text: ArraySlice<UInt8>) {
        guard text.count <= Self.longestText else { return }
        if hardwareCapabilities == nil, text.contains(UInt8(ascii: ":")) {
            let names = ByteString(text).split(on: UInt8(ascii: ":"))
            if names.allSatisfy(Self.isCapability) { hardwareCapabilities = names }
        }
        if version == nil { version = Self.version(in: text) }
    }

    private static func isText(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7f }

    private static func isSystemDirectory(_ text: ArraySlice<UInt8>) -> Bool {
        text.first == UInt8(ascii: "/") && text.last == UInt8(ascii: "/") && text.count <= longestText
            && text.allSatisfy { isText($0) && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "%") }
            && text.split(separator: UInt8(ascii: "/")).contains { $0.starts(with: "lib".utf8) }
    }

    /// The names in sysdeps/*/dl-hwcaps-subdirs.c.
    private static func isCapability(_ name: ByteString) -> Bool {
        name.hasPrefix("x86-64-v") || name.hasPrefix("power") || (name.count == 3 && name.hasPrefix("z"))
    }

    private static let versionPhrase = Array("release version ".utf8)

    /// The number in "ld.so (…) stable release version 2.36.", or in the older "GNU C Library (…) stable release
    /// version 2.31."
    private static func version(in text: ArraySlice<UInt8>) -> GlibcVersion? {
        let phrase = versionPhrase
        guard text.count > phrase.count,
            let start = (text.startIndex..<text.endIndex - phrase.count).first(where: { index in
                text[index] == phrase[0] && text[index..<index + phrase.count].elementsEqual(phrase)
            })
        else { return nil }
        let numbers = text[(start + phrase.count)...]
            .prefix { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
            .split(separator: UInt8(ascii: "."))
            .map { String(decoding: $0, as: UTF8.self) }
        guard numbers.count >= 2, let major = Int(numbers[0]), let minor = Int(numbers[1]) else { return nil }
        return GlibcVersion(major, minor)
    }
}
