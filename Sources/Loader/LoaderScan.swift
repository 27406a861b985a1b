import Bytes

/// Finds a loader's constants in its bytes, without running it.
///
/// They are C strings of the read-only data: the system directories follow each other, NUL-separated (`system_dirs` of
/// glibc's elf/dl-load.c), the capabilities are one colon-separated string (`_dl_hwcaps_subdirs`), and the version is in
/// the text that `ld.so --version` prints.
struct LoaderScan {
    private(set) var systemDirectories: [ByteString]?
    private(set) var hardwareCapabilities: [ByteString]?
    private(set) var version: GlibcVersion?

    init(_ bytes: [UInt8]) {
        var run: [ByteString] = []
        bytes.withUnsafeBufferPointer { all in
            var start = 0
            while start < all.count {
                var end = start
                while end < all.count, all[end] != 0 { end += 1 }
                let text = all[start..<end]
                if let first = text.first, first == UInt8(ascii: "/"), Self.isSystemDirectory(text) {
                    run.append(ByteString(text))
                } else {
                    close(&run)
                    if text.count > 3 { examine(text) }
                }
                start = end + 1
            }
        }
        close(&run)
    }

    /// Takes the longest run of directories; the loader holds shorter ones for messages.
    private mutating func close(_ run: inout [ByteString]) {
        if run.count > systemDirectories?.count ?? 0 { systemDirectories = run }
        run.removeAll()
    }

    private mutating func examine(_ text: Slice<UnsafeBufferPointer<UInt8>>) {
        if hardwareCapabilities == nil, text.count < 256, text.contains(UInt8(ascii: ":")) {
            let names = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            if names.allSatisfy(Self.isCapability) { hardwareCapabilities = names.map { ByteString($0) } }
        }
        if version == nil, text.count < 512 { version = Self.version(in: text) }
    }

    private static func isSystemDirectory(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        text.count > 4 && text.count < 512 && text.last == UInt8(ascii: "/")
            && text.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "%") }
            && text.split(separator: UInt8(ascii: "/")).contains { $0.starts(with: "lib".utf8) }
    }

    /// The prefixes of sysdeps/*/dl-hwcaps-subdirs.c.
    private static func isCapability(_ name: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        name.starts(with: "x86-64-v".utf8) || name.starts(with: "power".utf8)
            || (name.count == 3 && name.first == UInt8(ascii: "z"))
    }

    /// The number in "ld.so (…) stable release version 2.36.", and in the older "GNU C Library (…) stable release
    /// version 2.31."
    private static func version(in text: Slice<UnsafeBufferPointer<UInt8>>) -> GlibcVersion? {
        guard let phrase = text.firstRange(of: Array("release version ".utf8)) else { return nil }
        let numbers = text[phrase.upperBound...].prefix { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
            .split(separator: UInt8(ascii: ".")).map { String(decoding: $0, as: UTF8.self) }
        guard numbers.count >= 2, let major = Int(numbers[0]), let minor = Int(numbers[1]) else { return nil }
        return GlibcVersion(major, minor)
    }
}
