import Bytes

/// Data that programs want beside libraries, and that no ELF file names.
struct Preset: Sendable {
    var name: String
    /// What it gives, in a few words.
    var purpose: String
    /// Sonames, up to `.so`, of libraries whose users want it.
    var suggestedBy: [ByteString] = []
    var items: [Item]

    enum Item: Sendable {
        /// Made up by layerfs: the host's is never looked at.
        case directory(ByteString, mode: UInt16 = 0o755)
        case file(ByteString, mode: UInt16 = 0o644, String)
        case link(ByteString, to: ByteString)
        case device(ByteString, mode: UInt16 = 0o666, major: UInt32, minor: UInt32)
        /// A file of the host, the links that lead to it included; without it the preset is incomplete.
        case host(ByteString, package: ByteString)
        /// A file or link of the host, where it has one.
        case optional(ByteString)
        /// The first of these that the host has.
        case anyOf([ByteString], package: ByteString)
        /// A directory of the host with all below it.
        case tree(ByteString, package: ByteString)
        /// The directories of this name among the host's library directories, each with all below it; there must be one.
        case libraryTree(ByteString, package: ByteString)
        /// The links in a directory of the host that lead below one of `targets`, and what they lead to.
        case links(in: ByteString, below: [ByteString], package: ByteString)
    }
}

extension Preset {
    /// All presets. What is made up here is the same on every machine.
    static let all = [
        Preset(
            name: "base", purpose: "/tmp, mount points, minimal users and groups",
            items: [
                .directory("/tmp", mode: 0o1777), .directory("/var/tmp", mode: 0o1777), .directory("/dev"),
                .directory("/proc"), .directory("/sys"), .directory("/run"), .directory("/etc"),
                .file("/etc/passwd", users), .file("/etc/group", groups), .file("/etc/nsswitch.conf", nameServices),
            ]),
        Preset(
            name: "certs", purpose: "TLS certificates",
            suggestedBy: ["libssl", "libgnutls", "libcrypto"],
            items: [
                .host("/etc/ssl/certs/ca-certificates.crt", package: "ca-certificates"),
                // OpenSSL looks certificates up by the hash of their name in /usr/lib/ssl/certs.
                .links(
                    in: "/etc/ssl/certs", below: ["/usr/share/ca-certificates", "/usr/local/share/ca-certificates"],
                    package: "ca-certificates"),
                .host("/etc/ssl/openssl.cnf", package: "openssl"),
                .optional("/usr/lib/ssl/openssl.cnf"), .optional("/usr/lib/ssl/cert.pem"),
                .optional("/usr/lib/ssl/certs"),
            ]),
        Preset(
            name: "tz", purpose: "time zones",
            items: [
                .tree("/usr/share/zoneinfo", package: "tzdata"), .host("/etc/localtime", package: "tzdata"),
                .optional("/etc/timezone"),
            ]),
        Preset(
            name: "locale", purpose: "the locale C.UTF-8",
            items: [.tree("/usr/lib/locale/C.utf8", package: "libc-bin")]),
        Preset(
            name: "gconv", purpose: "conversions between character sets",
            items: [.libraryTree("gconv", package: "libc6 (in newer releases libc6-gconv)")]),
        Preset(
            name: "terminfo", purpose: "descriptions of terminals",
            suggestedBy: ["libtinfo", "libtinfow", "libncurses", "libncursesw"],
            items: terminals.map { name in
                let path = ByteString(name.bytes.prefix(1)) + "/" + name
                return .anyOf(terminfoDirectories.map { $0 + "/" + path }, package: "ncurses-base")
            }),
        Preset(
            name: "nss", purpose: "names of hosts, services and protocols",
            items: [
                .file("/etc/nsswitch.conf", nameServices), .file("/etc/hosts", hosts),
                .host("/etc/services", package: "netbase"), .host("/etc/protocols", package: "netbase"),
            ]),
        Preset(
            name: "passwd", purpose: "the users and groups root and nobody",
            items: [.file("/etc/passwd", users), .file("/etc/group", groups)]),
        Preset(
            name: "dev", purpose: "device nodes, as metadata",
            items: [
                .directory("/dev"), .directory("/dev/pts"), .directory("/dev/shm", mode: 0o1777),
                .device("/dev/null", major: 1, minor: 3), .device("/dev/zero", major: 1, minor: 5),
                .device("/dev/full", major: 1, minor: 7), .device("/dev/random", major: 1, minor: 8),
                .device("/dev/urandom", major: 1, minor: 9), .device("/dev/tty", major: 5, minor: 0),
                .device("/dev/console", mode: 0o620, major: 5, minor: 1), .link("/dev/ptmx", to: "pts/ptmx"),
                .link("/dev/fd", to: "/proc/self/fd"), .link("/dev/stdin", to: "/proc/self/fd/0"),
                .link("/dev/stdout", to: "/proc/self/fd/1"), .link("/dev/stderr", to: "/proc/self/fd/2"),
            ]),
    ]

    private static let users = """
        root:x:0:0:root:/root:/bin/sh
        nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin

        """

    /// Group 65534 has the name that Debian gives it.
    private static let groups = """
        root:x:0:
        nogroup:x:65534:

        """

    /// What glibc does without the file, but for other databases than files and dns: those need further libraries.
    private static let nameServices = """
        passwd: files
        group: files
        shadow: files
        hosts: files dns
        networks: files
        protocols: files
        services: files
        ethers: files
        rpc: files

        """

    private static let hosts = """
        127.0.0.1 localhost
        ::1 localhost ip6-localhost ip6-loopback

        """

    private static let terminals: [ByteString] = [
        "ansi", "dumb", "linux", "rxvt", "screen", "screen-256color", "tmux", "tmux-256color", "vt100", "vt102",
        "vt220",
        "xterm", "xterm-256color", "xterm-color",
    ]

    /// In the order in which ncurses looks (terminfo(5)).
    private static let terminfoDirectories: [ByteString] = ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo"]
}
