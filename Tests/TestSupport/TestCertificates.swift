import Foundation

/// An authority that nobody trusts yet, and a certificate of it for 127.0.0.1; made with openssl.
public struct TestCertificates: Sendable {
    private let path: String

    /// The certificate of the authority; alone in ``authorityDirectory``.
    public var authority: String { authorityDirectory + "/ca.crt" }
    public var authorityDirectory: String { path + "/ca" }
    /// Of the server.
    public var certificate: String { path + "/server.crt" }
    public var key: String { path + "/server.key" }

    /// Those that were made in the directory `path`.
    init(at path: String) { self.path = path }

    /// Makes them in `folder`.
    public init(in folder: TemporaryDirectory) throws {
        path = folder.path
        try FileManager.default.createDirectory(atPath: authorityDirectory, withIntermediateDirectories: false)
        let newKey = ["-newkey", "rsa:2048", "-nodes"]
        try Tool.succeed(
            "openssl",
            ["req", "-x509", "-days", "2", "-subj", "/CN=tests", "-keyout", path + "/ca.key", "-out", authority]
                + newKey)
        let request = path + "/server.csr"
        try Tool.succeed("openssl", ["req", "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", request] + newKey)
        try folder.write("names", Array("subjectAltName=IP:127.0.0.1".utf8))
        try Tool.succeed(
            "openssl",
            [
                "x509", "-req", "-in", request, "-CA", authority, "-CAkey", path + "/ca.key", "-CAcreateserial",
                "-days", "2",
                "-extfile", path + "/names", "-out", certificate,
            ])
    }
}
