import Bytes
import Foundation
internal import NIOSSL
import Posix
import RegistryProtocol

/// Whom TLS connections trust, and who one is.
public struct ConnectionSecurity: Hashable, Sendable {
    /// Whether certificates of the registry itself are verified. Other hosts' always are.
    public var verifies = true
    /// Files of certificates (PEM) of authorities that are trusted beside the system's, for every host.
    public var authorities: [String] = []
    /// Directories as skopeo's `--cert-dir`: `*.crt` are authorities, `*.cert` and `*.key` make a client certificate. For the
    /// registry alone.
    public var directories: [String] = []

    public init() {}

    /// The directories in which Docker and containers keep what belongs to `host`, as far as they exist.
    public static func usualDirectories(host: String) -> [String] {
        ["/etc/containers/certs.d/", "/etc/docker/certs.d/"].map { $0 + host }.filter { path in
            (try? Files.statusIfPresent(ByteString(path), followingLink: true))?.kind == .directory
        }
    }

    /// The settings for the registry itself.
    ///
    /// - Throws: ``RegistryError/unusableFile(path:reason:)``.
    func registryConfiguration() throws(RegistryError) -> TLSConfiguration {
        var configuration = try otherConfiguration()
        for directory in directories { try Self.add(directory, to: &configuration) }
        if !verifies { configuration.certificateVerification = .none }
        return configuration
    }

    /// The settings for token servers and the targets of redirections.
    ///
    /// - Throws: ``RegistryError/unusableFile(path:reason:)``.
    func otherConfiguration() throws(RegistryError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        for file in authorities {
            configuration.additionalTrustRoots.append(.certificates(try Self.certificates(file)))
        }
        return configuration
    }

    private static func add(_ directory: String, to configuration: inout TLSConfiguration) throws(RegistryError) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        } catch {
            throw .unusableFile(path: directory, reason: "this directory of certificates cannot be read")
        }
        for name in names where name.hasSuffix(".crt") {
            configuration.additionalTrustRoots.append(.certificates(try certificates(directory + "/" + name)))
        }
        for name in names where name.hasSuffix(".cert") {
            let key = directory + "/" + name.dropLast(5) + ".key"
            configuration.certificateChain = try certificates(directory + "/" + name).map { .certificate($0) }
            do {
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
            } catch {
                throw .unusableFile(path: key, reason: "this is no private key (PEM)")
            }
        }
    }

    private static func certificates(_ path: String) throws(RegistryError) -> [NIOSSLCertificate] {
        let found: [NIOSSLCertificate]
        do { found = try NIOSSLCertificate.fromPEMFile(path) } catch {
            throw .unusableFile(path: path, reason: "there are no certificates (PEM) in it")
        }
        guard !found.isEmpty else { throw .unusableFile(path: path, reason: "there are no certificates (PEM) in it") }
        return found
    }
}
