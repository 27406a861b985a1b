import Bytes
import Glibc
import SystemPackage

/// Connections to servers on this machine (tcp(7)).
public enum LoopbackSocket {
    /// Connects to `port` of `address`.
    ///
    /// - Parameters:
    ///   - address: 4 bytes of an IPv4 address, or 16 of an IPv6 one.
    ///   - patience: in whole seconds, for how long connecting and each read and write may take (EAGAIN afterwards).
    /// - Throws: `SystemError`.
    public static func connect(
        _ address: [UInt8], port: UInt16, patience: Int
    ) throws(SystemError) -> OwnedDescriptor {
        let isIPv6 = address.count == 16
        let number = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        if number < 0 { throw SystemError.last("socket", nil) }
        let descriptor = OwnedDescriptor(adopting: number, path: "a connection")
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            if setsockopt(number, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size)) != 0 {
                throw SystemError.last("setsockopt", nil)
            }
        }
        let status = isIPv6 ? connect(number, IPv6: address, port) : connect(number, IPv4: address, port)
        if status != 0 { throw SystemError.last("connect", nil) }
        return descriptor
    }

    private static func connect(_ number: Int32, IPv4 address: [UInt8], _ port: UInt16) -> Int32 {
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port.bigEndian
        withUnsafeMutableBytes(of: &place.sin_addr) { $0.copyBytes(from: address.prefix($0.count)) }
        return connect(number, to: place)
    }

    private static func connect(_ number: Int32, IPv6 address: [UInt8], _ port: UInt16) -> Int32 {
        var place = sockaddr_in6()
        place.sin6_family = sa_family_t(AF_INET6)
        place.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &place.sin6_addr) { $0.copyBytes(from: address.prefix($0.count)) }
        return connect(number, to: place)
    }

    /// - Parameter place: one of the structures that begin as `sockaddr` does.
    private static func connect<Place>(_ number: Int32, to place: Place) -> Int32 {
        withUnsafePointer(to: place) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(number, $0, socklen_t(MemoryLayout<Place>.size))
            }
        }
    }
}
