import Bytes

/// The rules that layerfs knows.
///
/// To add one: a stable id, the next table version, the functions whose import shows the need, what is brought, and
/// the symptom without it. A rule must be true wherever it fires: what may be wanted is a suggestion.
public enum RuleTable {
    /// Grows with every change of ``rules``.
    public static let version = 1

    public static let rules: [DependencyRule] = libraries + nameServices + companions + suggestions

    /// Libraries that the C library itself loads when a function is called.
    private static let libraries: [DependencyRule] = [
        // "libgcc_s.so.1 must be installed for pthread_exit to work", and abort(3): glibc's misc/unwind-link.c, before
        // 2.34 nptl's own. musl needs no such library.
        DependencyRule(
            "libgcc-s", version: 1, library: .glibc,
            when: .imports(["pthread_cancel", "pthread_exit", "backtrace"]),
            .library("libgcc_s.so.1", openedBy: ["libpthread.so.0", "libc.so.6"]),
            because: "glibc unwinds stacks with it, and aborts without when a thread ends itself or is cancelled")
    ]

    /// Modules of the name service switch (nsswitch.conf(5)): one rule for each database, with the functions that ask
    /// it. glibc 2.34 took the modules for files and DNS into libc.
    private static let nameServices: [DependencyRule] = [
        nameService(
            "passwd", ["files"],
            ["getpwnam", "getpwnam_r", "getpwuid", "getpwuid_r", "getpwent", "getpwent_r"]),
        nameService(
            "group", ["files"],
            [
                "getgrnam", "getgrnam_r", "getgrgid", "getgrgid_r", "getgrent", "getgrent_r", "getgrouplist",
                "initgroups",
            ]),
        nameService("shadow", ["files"], ["getspnam", "getspnam_r", "getspent", "getspent_r"]),
        nameService(
            "hosts", ["dns", "files"],
            [
                "getaddrinfo", "getnameinfo", "gethostbyname", "gethostbyname_r", "gethostbyname2",
                "gethostbyname2_r", "gethostbyaddr", "gethostbyaddr_r", "gethostent",
            ]),
        nameService(
            "services", ["files"],
            ["getservbyname", "getservbyname_r", "getservbyport", "getservbyport_r", "getservent"]),
        nameService("protocols", ["files"], ["getprotobyname", "getprotobyname_r", "getprotobynumber", "getprotoent"]),
        nameService("networks", ["files", "dns"], ["getnetbyname", "getnetbyaddr", "getnetent"]),
    ]

    private static func nameService(
        _ database: ByteString, _ byDefault: [ByteString], _ functions: Set<ByteString>
    ) -> DependencyRule {
        DependencyRule(
            RuleID(rawValue: "nss-\(database)"), version: 1, library: .glibc, when: .imports(functions),
            .nameService(
                database: database, byDefault: byDefault, builtIn: ["files", "dns"], since: GlibcVersion(2, 34)),
            because: "names of the database \(database) are looked up through modules")
    }

    /// Checksums that libraries in FIPS mode compare themselves with when they start: OpenSSL, GnuTLS, libgcrypt, NSS.
    private static let companions: [DependencyRule] = [
        DependencyRule(
            "hmac", version: 1, when: .always, .companion(folder: nil, prefix: ".", suffix: ".hmac"),
            because: "the self-test of FIPS mode reads the checksum beside the file"),
        DependencyRule(
            "hmac-fipscheck", version: 1, when: .always,
            .companion(folder: "/usr/lib/fipscheck", prefix: "", suffix: ".hmac"),
            because: "fipscheck keeps the checksums of programs there"),
        DependencyRule(
            "hmac-fipscheck64", version: 1, when: .always,
            .companion(folder: "/usr/lib64/fipscheck", prefix: "", suffix: ".hmac"),
            because: "fipscheck keeps the checksums of programs there"),
    ]

    /// Data that a program may read, as its imports show; which of it cannot be known.
    private static let suggestions: [DependencyRule] = [
        // iconv fails even between UTF-8 and ISO-8859-1 without modules: "failed to start conversion".
        DependencyRule(
            "gconv", version: 1, library: .glibc, when: .imports(["iconv_open"]), .suggest(preset: "gconv"),
            because: "character sets are converted by modules in the gconv directory"),
        DependencyRule(
            "locale", version: 1, library: .glibc, when: .imports(["setlocale", "newlocale"]),
            .suggest(preset: "locale"), because: "locales, C.UTF-8 too, are files of /usr/lib/locale"),
        DependencyRule(
            "tz", version: 1, when: .imports(["localtime", "localtime_r", "tzset", "mktime"]),
            .suggest(preset: "tz"), because: "time zones are files of /usr/share/zoneinfo; without, TZ means UTC"),
        DependencyRule(
            "terminfo", version: 1, when: .imports(["setupterm", "tgetent", "initscr", "newterm"]),
            .suggest(preset: "terminfo"), because: "terminals are described by files of terminfo"),
        DependencyRule(
            "certs", version: 1,
            when: .imports([
                "SSL_CTX_set_default_verify_paths", "X509_STORE_set_default_paths",
                "gnutls_certificate_set_x509_system_trust",
            ]),
            .suggest(preset: "certs"), because: "servers are trusted by the certificates of /etc/ssl/certs"),
        DependencyRule(
            "passwd", version: 1, when: .imports(["getpwnam", "getpwuid", "getpwnam_r", "getpwuid_r"]),
            .suggest(preset: "passwd"), because: "users are named by /etc/passwd"),
    ]
}
