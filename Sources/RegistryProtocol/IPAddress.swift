import Glibc

/// A numeric address, of either family: what rules about hosts are made for, however it is written.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// Four or sixteen, in network order.
    package let bytes: [UInt8]

    /// - Parameter text: plain dotted IPv4, without leading zeros; or IPv6 (RFC 4291, section 2.2), without brackets and zone.
    package init?(_ text: String) {
        if let four = Self.fourBytes(text) {
            bytes = four
            return
        }
        // What inet_pton(3) takes is what getaddrinfo(3) takes for a number; a zone says nothing to anybody else.
        guard text.contains(":"), text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        var address = in6_addr()
        guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        bytes = withUnsafeBytes(of: &address) { Array($0) }
    }

    private static func fourBytes(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part in String(UInt8(part) ?? 0) == part ? UInt8(part) : nil }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    /// As it is usually written (RFC 5952), without brackets.
    package var description: String {
        if bytes.count == 4 { return bytes.map { String($0) }.joined(separator: ".") }
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, bytes, &buffer, socklen_t(buffer.count)) != nil else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Where an IPv6 address stands for one of IPv4 (mapped, compatible, NAT64: RFC 4291, section 2.5.5; RFC 6052), that one.
    private var embedded: IPAddress? {
        guard bytes.count == 16 else { return nil }
        let prefix = Array(bytes[..<12])
        let prefixes: [[UInt8]] = [
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0],
        ]
        return prefixes.contains(prefix) ? IPAddress(bytes: Array(bytes[12...])) : nil
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Whether it is this machine's, or one that only machines on the same wire have.
    package var isLocal: Bool {
        if bytes.count == 4 { return bytes[0] == 127 || bytes[0] == 0 || (bytes[0] == 169 && bytes[1] == 254) }
        // ::, ::1 and fe80::/10.
        if bytes[..<15].allSatisfy({ $0 == 0 }), bytes[15] <= 1 { return true }
        if bytes[0] == 0xfe, bytes[1] & 0xc0 == 0x80 { return true }
        return embedded?.isLocal ?? false
    }

    /// Whether it is this machine's: 127.0.0.0/8 or ::1.
    package var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes[..<15].allSatisfy { $0 == 0 } && bytes[15] == 1
    }

    /// Whether it lies in the network `text`, as `10.0.0.0/8` or `fd00::/8`; nil when that is no network.
    package func isWithin(network text: String) -> Bool? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let network = IPAddress(String(parts[0])), let length = Int(parts[1]),
            String(length) == parts[1], (0...network.bytes.count * 8).contains(length)
        else { return nil }
        guard network.bytes.count == bytes.count else { return false }
        return zip(bytes, network.bytes).enumerated().allSatisfy { index, pair in
            let bits = min(8, max(0, length - 8 * index))
            let mask = bits == 0 ? 0 : UInt8.max << (8 - bits)
            return pair.0 & mask == pair.1 & mask
        }
    }
}
