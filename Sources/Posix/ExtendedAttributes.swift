public import Bytes
import CLinux
import SystemPackage

extension OwnedDescriptor {
    /// The extended attributes of the open file (xattr(7)), sorted by name; none where the file system has none.
    public borrowing func extendedAttributes() throws(SystemError) -> [(name: ByteString, value: ByteString)] {
        let number = rawValue
        let names: [UInt8]
        do {
            names = try growing("flistxattr", path) { clinux_flistxattr(number, $0, $1) }
        } catch  where error.errno == .notSupported || error.errno == .noFunction {
            return []
        }
        var result: [(name: ByteString, value: ByteString)] = []
        for name in names.split(separator: 0).map({ ByteString($0) }).sorted() {
            let shown = path
            let value = try name.withCPath(for: "fgetxattr") { (key) throws(SystemError) in
                try growing("fgetxattr", shown) { clinux_fgetxattr(number, key, $0, $1) }
            }
            result.append((name, ByteString(value)))
        }
        return result
    }

    /// Sets one extended attribute (fsetxattr(2)).
    public borrowing func setExtendedAttribute(_ name: ByteString, to value: ByteString) throws(SystemError) {
        let (number, shown) = (rawValue, path)
        try name.withCPath(for: "fsetxattr") { (key) throws(SystemError) in
            _ = try retrying("fsetxattr", shown) { clinux_fsetxattr(number, key, value.bytes, value.count) }
        }
    }
}

/// Calls `body` with a larger and larger buffer until the result fits: the value may grow between asking and reading.
private func growing(
    _ call: String, _ path: ByteString, _ body: (UnsafeMutableRawPointer?, Int) -> Int64
) throws(SystemError) -> [UInt8] {
    while true {
        let needed = try retrying(call, path) { body(nil, 0) }
        if needed == 0 { return [] }
        var buffer = [UInt8](repeating: 0, count: Int(needed))
        do {
            let count = try retrying(call, path) { buffer.withUnsafeMutableBytes { body($0.baseAddress, $0.count) } }
            return Array(buffer[..<Int(count)])
        } catch  where error.errno == .outOfRange {
            continue
        }
    }
}
