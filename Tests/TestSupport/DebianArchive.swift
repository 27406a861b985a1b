import Foundation

/// Packages of Debian 12 for other machines, fetched by an apt of their own: that of this machine is not touched.
public final class DebianArchive: Sendable {
    private let directory: TemporaryDirectory
    private let architectures: [String]

    /// Reads what there is for `architectures` (LAYERFS_DEBIAN_MIRROR names another mirror than Debian's own).
    ///
    /// - Throws: ``Tool/Failure`` when the archive cannot be reached.
    public init(_ architectures: [String]) throws {
        directory = try TemporaryDirectory()
        self.architectures = architectures
        let mirror = ProcessInfo.processInfo.environment["LAYERFS_DEBIAN_MIRROR"] ?? "http://deb.debian.org/debian"
        try shell(
            """
            mkdir -p lists/partial cache/archives/partial debs
            echo 'deb \(mirror) bookworm main' > sources
            $apt update
            """)
    }

    /// Fetches `packages`, each `name:architecture`, so that roots can be made of them.
    public func fetch(_ packages: [String]) throws {
        try shell("cd debs; $apt download \(packages.joined(separator: " "))")
    }

    /// Unpacks packages that were fetched into the new directory `root`, with a merged /usr and dpkg's database. Nothing of
    /// theirs is run.
    public func makeRoot(_ root: String, of packages: [String], _ architecture: String) throws {
        try shell(
            """
            mkdir -p '\(root)/var/lib/dpkg/info'
            for name in bin sbin lib \(architecture == "amd64" ? "lib32 lib64" : ""); do
                mkdir -p '\(root)'/usr/$name
                ln -s usr/$name '\(root)'/$name
            done
            for name in \(packages.joined(separator: " ")); do
                deb=$(find debs -name "${name}_*_\(architecture).deb" -o -name "${name}_*_all.deb")
                list=$name
                [ "$(dpkg-deb -f "$deb" Multi-Arch)" != same ] || list=$name:\(architecture)
                dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C '\(root)'
                dpkg-deb --fsys-tarfile "$deb" | tar -t | sed -e 's|^\\.||' -e 's|^/$|/.|' -e 's|\\(.\\)/$|\\1|' \\
                    > '\(root)'/var/lib/dpkg/info/$list.list
                { dpkg-deb -f "$deb"; echo 'Status: install ok installed'; echo; } >> '\(root)'/var/lib/dpkg/status
            done
            """)
    }

    private func shell(_ script: String) throws {
        try Tool.succeed(
            "sh",
            [
                "-euc",
                """
                cd '\(directory.path)'
                apt="apt-get -qq -o Dir::Etc::sourcelist=$PWD/sources -o Dir::Etc::sourceparts=/dev/null \\
                    -o Dir::State::Lists=$PWD/lists -o Dir::State::status=/dev/null -o Dir::Cache=$PWD/cache \\
                    -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Architecture=$1"
                for architecture; do apt="$apt -o APT::Architectures::=$architecture"; done
                \(script)
                """, "sh",
            ] + architectures)
    }
}
