import Foundation

/// TCP on this machine's own address.
enum LocalSocket {
    private static let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    /// Listens on 127.0.0.1 or ::1, at a port of the kernel's choice.
    static func listen(isIPv6: Bool) throws -> (file: Int32, port: UInt16) {
        let file = socket(isIPv6 ? AF_INET6 : AF_INET, type, 0)
        var port: UInt16 = 0
        let isBound =
            isIPv6
            ? withAddress(isIPv6: 0) { pointer, length in
                bind(file, pointer, length.pointee) == 0 && Glibc.listen(file, 64) == 0
                    && getsockname(file, pointer, length) == 0
            } found: {
                port = $0
            }
            : withAddress(isIPv4: 0) { pointer, length in
                bind(file, pointer, length.pointee) == 0 && Glibc.listen(file, 64) == 0
                    && getsockname(file, pointer, length) == 0
            } found: {
                port = $0
            }
        guard isBound else {
            let code = errno
            close(file)
            throw POSIXError(.init(rawValue: code) ?? .EIO)
        }
        return (file, port)
    }

    /// Connects to `port` of 127.0.0.1; nil when nobody listens.
    static func connect(to port: UInt16) -> Int32? {
        let file = socket(AF_INET, type, 0)
        let isConnected = withAddress(isIPv4: port) { pointer, length in
            Glibc.connect(file, pointer, length.pointee) == 0
        } found: { _ in
        }
        if isConnected { return file }
        close(file)
        return nil
    }

    private static func withAddress(
        isIPv4 port: UInt16, _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Bool,
        found: (UInt16) -> Void
    ) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
        found(UInt16(bigEndian: address.sin_port))
        return result
    }

    private static func withAddress(
        isIPv6 port: UInt16, _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Bool,
        found: (UInt16) -> Void
    ) -> Bool {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_addr = in6addr_loopback
        address.sin6_port = port.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
        found(UInt16(bigEndian: address.sin6_port))
        return result
    }

    /// Sends all of `bytes`; false when the other side is gone.
    @discardableResult
    static func send(_ bytes: [UInt8], to file: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(file, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// What has come, at most `limit` bytes; nil at the end.
    static func receive(_ file: Int32, limit: Int = 64 << 10) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        var count: Int
        repeat { count = recv(file, &buffer, buffer.count, 0) } while count < 0 && errno == EINTR
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    /// Exactly `count` bytes; nil when the other side ends before.
    static func receive(exactly count: Int, _ file: Int32) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard let more = receive(file, limit: count - bytes.count) else { return nil }
            bytes += more
        }
        return bytes
    }
}

/// Whether ::1 can be listened on.
public let hasIPv6: Bool = {
    guard let (file, _) = try? LocalSocket.listen(isIPv6: true) else { return false }
    close(file)
    return true
}()
