import Bytes

/// What is compiled into musl's loader and decides where it searches (ldso/dynlink.c).
struct MuslConstants: Hashable {
    /// The architecture in the name of the path file, `/etc/ld-musl-ARCHITECTURE.path`.
    var architecture: ByteString
    /// Searched where there is no path file; separated by colons.
    var defaultPath: ByteString = "/lib:/usr/local/lib:/usr/lib"

    /// The constants in the read-only data of the loader whose file is `bytes`; where it tells nothing, upstream's, and
    /// the architecture of its name.
    init(loader bytes: [UInt8], name: ByteString) {
        let base = name.split(on: UInt8(ascii: "/")).last ?? name
        architecture = ByteString(
            base.bytes.dropFirst(Self.namePrefix.count).prefix { $0 != UInt8(ascii: ".") })
        // The format of the path file's name begins with the place of its first part.
        let start = Array("%.*s/etc/ld-musl-".utf8)
        for text in Self.strings(of: bytes) {
            if text.starts(with: start), text.suffix(5).elementsEqual(".path".utf8) {
                architecture = ByteString(text.dropFirst(start.count).dropLast(5))
            } else if Self.isPath(text) {
                defaultPath = ByteString(text)
            }
        }
    }

    /// Whether a program whose PT_INTERP is `name` is started by musl's loader.
    static func isLoader(_ name: ByteString) -> Bool {
        name.split(on: UInt8(ascii: "/")).last?.hasPrefix(namePrefix) ?? false
    }

    private static let namePrefix: ByteString = "ld-musl-"

    /// The path file's place, beside the `lib` directory that the loader is named in.
    func pathFile(loaderName: ByteString) -> ByteString {
        let slashes = loaderName.bytes.indices.filter { loaderName.bytes[$0] == UInt8(ascii: "/") }
        let isAbsolute = slashes.first == 0
        let prefix = isAbsolute && slashes.count > 1 ? loaderName.bytes[..<slashes[slashes.count - 2]] : []
        return ByteString(prefix) + "/etc/ld-musl-" + architecture + ".path"
    }

    private static func strings(of bytes: [UInt8]) -> some Sequence<ArraySlice<UInt8>> {
        bytes.split(separator: 0).lazy.filter { (8...512).contains($0.count) }
    }

    private static func isPath(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.first == UInt8(ascii: "/"), text.contains(UInt8(ascii: ":")) else { return false }
        return text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).allSatisfy { part in
            part.first == UInt8(ascii: "/") && part.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "%") }
                && part.split(separator: UInt8(ascii: "/")).contains { $0.starts(with: "lib".utf8) }
        }
    }
}
