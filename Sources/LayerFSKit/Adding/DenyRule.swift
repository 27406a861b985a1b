public import Bytes

/// A kind of file that does not belong into an image.
struct DenyRule: Sendable {
    var name: String
    /// What such files are, for messages.
    var meaning: String
    /// Where they lie: files, and directories with all below them. In the form of ``PathGlob``.
    var patterns: [ByteString]

    /// All rules. They are about where a file lies on the host once every link is followed.
    static let all = [
        DenyRule(
            name: "passwords", meaning: "hashes of passwords",
            patterns: ["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/security/opasswd"]),
        DenyRule(name: "ssh-host-keys", meaning: "keys of this host", patterns: ["/etc/ssh/ssh_host_*_key"]),
        DenyRule(name: "ssh-keys", meaning: "keys of a person", patterns: [".ssh"]),
        DenyRule(name: "home", meaning: "a home directory", patterns: ["/root", "/home"]),
        DenyRule(name: "kernel", meaning: "the running kernel's", patterns: ["/proc", "/sys"]),
        DenyRule(
            name: "private-keys", meaning: "private keys",
            patterns: ["/etc/ssl/private", "/etc/pki/*/private", "/etc/letsencrypt", "/etc/wireguard"]),
    ]

    /// The rule for files that hold a private key wherever they lie.
    static let keyContent = DenyRule(name: "private-keys", meaning: "it holds a private key", patterns: [])

    /// The names of files that are looked into for that, and how such a file begins a key (RFC 7468).
    static let keyNames: [ByteString] = ["*.key", "*.pem", "*_key", "id_*"]
    static let keyMark: ByteString = "PRIVATE KEY-----"
    /// A certificate with its chain may come before the key.
    static let keyReach = 1 << 16
}

/// A file that a rule refuses.
public struct Denial: Hashable, Sendable, CustomStringConvertible {
    /// On the host, without links.
    public let path: ByteString
    /// The name of the rule.
    public let rule: String
    let meaning: String

    public var description: String { "\(path): rule \(rule) (\(meaning))" }
}
