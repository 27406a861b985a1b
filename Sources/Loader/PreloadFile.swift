import Bytes

/// A root's /etc/ld.so.preload: libraries that every program of the root loads first.
struct PreloadFile {
    let libraries: [ByteString]

    /// Blanks and colons separate, `#` begins a comment that ends with the line (handle_preload_list and dl_main in
    /// glibc's elf/rtld.c).
    init(_ text: [UInt8]) {
        let lines = ByteString(text).split(on: UInt8(ascii: "\n"))
        libraries = lines.flatMap { line in
            line.bytes.prefix { $0 != UInt8(ascii: "#") }
                .split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: ":") }
                .map { ByteString($0) }
        }
    }
}
