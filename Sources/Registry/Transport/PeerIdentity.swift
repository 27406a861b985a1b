internal import NIOCore
internal import NIOSSL
import RegistryProtocol

/// Whether a certificate is for the host that one meant to reach (RFC 9525).
///
/// NIOSSL's own check is not enough: it also accepts a certificate that names the *address* at the other end of the connection.
/// Whoever leads a name to an address of his own, for which any authority gives him a certificate, would pass.
struct PeerIdentity: Sendable {
    /// A name of a certificate (RFC 5280, section 4.2.1.6).
    enum Name: Hashable, Sendable {
        case dns(String)
        case address([UInt8])
    }

    /// The certificate is for somebody else.
    struct Mismatch: Error {}

    /// Lower case; a name or an address.
    let host: String

    /// Whether one of `names` is the host: an address only by an address, a name only by a name, in which `*` stands for one
    /// whole label, the first. The subject's common name is not looked at.
    func isAmong(_ names: [Name]) -> Bool {
        let address = IPAddress(host)
        return names.contains { name in
            switch name {
            case .address(let bytes): address?.bytes == bytes
            case .dns(let pattern): address == nil && Self.matches(host, pattern.lowercased())
            }
        }
    }

    private static func matches(_ host: String, _ pattern: String) -> Bool {
        if host == pattern { return true }
        guard pattern.hasPrefix("*."), let dot = host.firstIndex(of: ".") else { return false }
        let domain = pattern.dropFirst(2)
        return domain.contains(".") && !domain.contains("*") && host[host.index(after: dot)...] == domain
    }

    /// Lets the connection `channel` be used if its certificate is for the host; else it is closed.
    func check(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.nioSSL_peerCertificate().flatMapThrowing { certificate in
            let names = certificate.map { $0._subjectAlternativeNames().compactMap(Self.name) } ?? []
            guard isAmong(names) else {
                channel.close(promise: nil)
                throw Mismatch()
            }
        }
    }

    private static func name(_ name: _SubjectAlternativeName) -> Name? {
        let bytes = name.contents.withUnsafeBufferPointer { Array($0) }
        return switch name.nameType {
        case .dnsName: String(validating: bytes, as: UTF8.self).map { .dns($0) }
        case .ipAddress: .address(bytes)
        default: nil
        }
    }
}
