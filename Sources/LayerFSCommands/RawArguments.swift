package import Bytes

/// Carries arguments that are not UTF-8 through a parser that knows only text.
///
/// Linux passes bytes; `String` would repair them, and `materialize x $'d\xff'` would make another directory than it was told.
/// Each byte that is no part of valid UTF-8 becomes a noncharacter-like scalar of the last private plane, and is turned back where
/// an argument becomes a ``ByteString``. Scalars of that range that a person really typed are carried byte by byte, too.
package enum RawArguments {
    /// U+10FE00 to U+10FEFF stand for the bytes 0 to 255.
    private static let base: UInt32 = 0x10FE00

    /// The arguments of this process but for its name, ready for the parser.
    package static func ofProcess() -> [String] {
        (1..<Int(CommandLine.argc)).compactMap { index in
            CommandLine.unsafeArgv[index].map { argument in
                var end = argument
                while end.pointee != 0 { end += 1 }
                return text(of: UnsafeRawBufferPointer(start: argument, count: end - argument).map { $0 })
            }
        }
    }

    static func text(of bytes: [UInt8]) -> String {
        if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        var result = String.UnicodeScalarView()
        var rest = bytes[...]
        while !rest.isEmpty {
            var decoder = UTF8()
            var iterator = rest.makeIterator()
            if case .scalarValue(let scalar) = decoder.decode(&iterator), !(base...(base + 255)).contains(scalar.value)
            {
                result.append(scalar)
                rest = rest.dropFirst(UTF8.width(scalar))
            } else if let byte = rest.popFirst(), let scalar = Unicode.Scalar(base + UInt32(byte)) {
                result.append(scalar)
            }
        }
        return String(result)
    }

    package static func bytes(of text: String) -> [UInt8] {
        // In UTF-8, scalars of the last plane begin with this byte.
        if !text.utf8.contains(0xF4) { return Array(text.utf8) }
        return text.unicodeScalars.flatMap { scalar in
            (base...(base + 255)).contains(scalar.value) ? [UInt8(scalar.value - base)] : Array(String(scalar).utf8)
        }
    }
}

extension ByteString {
    /// The bytes of an argument of the command line.
    package init(argument: String) { self.init(RawArguments.bytes(of: argument)) }
}
