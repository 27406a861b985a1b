import Bytes
import Packages
import Testing

@Suite("A database made for the test")
struct SyntheticDatabaseTests {
    static let status = """
        Package: bash
        Status: install ok installed
        Architecture: amd64
        Version: 5.2-1
        Description: a shell
         Package: not this one

        Package: libc6
        Status: install ok installed
        Architecture: amd64
        Multi-Arch: same
        Source: glibc (2.36-9)
        Version: 2.36-9+b1

        Package: libc6
        Status: install ok installed
        Architecture: i386
        Source: glibc
        Version: 2.36-9

        Package: old
        Status: deinstall ok config-files
        Architecture: amd64
        Version: 1

        """

    static let lists = [
        "status": status,
        "diversions": "/usr/bin/tool\n/usr/bin/tool.real\nwrapper\n/etc/local\n/etc/local.real\n:\n",
        "info/bash.list": "/.\n/bin\n/bin/bash\n/usr\n/usr/share/doc/bash\n",
        "info/libc6:amd64.list": "/.\n/usr\n/lib/libc.so.6\n/usr/share/doc/libc6/copyright\n",
        "info/libc6:i386.list": "/.\n/usr\n/lib/i386/libc.so.6\n/usr/share/doc/libc6/copyright\n",
        "info/old.list": "/etc/old.conf\n/etc/local\n",
        "info/tools.list": "/usr/bin/tool",
        "info/wrapper.list": "/usr/bin/tool\n",
        "info/bash.md5sums": "/usr/bin/decoy\n",
    ]

    static let bash = PackageIdentity(name: "bash", version: "5.2-1", architecture: "amd64")
    static let libc = PackageIdentity(
        name: "libc6", version: "2.36-9+b1", architecture: "amd64", source: "glibc", sourceVersion: "2.36-9")

    @Test(
        "Dependencies are those of installed packages, through alternatives, virtual packages and cycles",
        arguments: [
            (["app"], ["lib", "mta", "shell", "data"]), (["app:amd64"], ["lib", "mta", "shell", "data"]),
            (["lib"], ["app", "mta", "shell", "data"]), (["data"], []), (["unknown"], []),
            (["app", "mta"], ["lib", "shell", "data"]),
        ] as [([ByteString], [ByteString])])
    func dependencies(names: [ByteString], expected: [ByteString]) throws {
        let status = """
            Package: app
            Status: install ok installed
            Depends: gone (>= 1) | lib (>= 1.2) [amd64], mail-transport-agent,
             shell:any
            Suggests: data

            Package: lib
            Status: install ok installed
            Pre-Depends: app

            Package: mta
            Status: install ok installed
            Provides: mail-transport-agent (= 1), other
            Depends: data, nowhere | gone

            Package: other-mta
            Status: install ok installed
            Provides: mail-transport-agent

            Package: gone
            Status: deinstall ok config-files
            Depends: never

            Package: shell
            Status: install ok installed

            Package: data
            Status: install ok installed
            Architecture: all
            """
        let database = TestDatabase(["status": status])
        #expect(try DpkgDatabase(root: database.root).dependencies(ofPackages: names) == expected)
    }

    @Test(
        "A file's owner is the package that lists it, where diversions put it",
        arguments: [
            ("/bin/bash", bash),
            ("/lib/libc.so.6", libc),
            (
                "/lib/i386/libc.so.6",
                PackageIdentity(name: "libc6", version: "2.36-9", architecture: "i386", source: "glibc")
            ),
            // Shared by the architectures of one package.
            ("/usr/share/doc/libc6/copyright", libc),
            // Removed, but its configuration stays.
            ("/etc/old.conf", PackageIdentity(name: "old", version: "1", architecture: "amd64")),
            // Not in the status file; its list ends without a newline.
            ("/usr/bin/tool.real", PackageIdentity(name: "tools")),
            ("/usr/bin/tool", PackageIdentity(name: "wrapper")),
            // Diverted by the administrator.
            ("/etc/local.real", PackageIdentity(name: "old", version: "1", architecture: "amd64")),
            ("/etc/local", nil),
            // A directory of several packages.
            ("/usr", nil),
            ("/", nil),
            ("/usr/bin/decoy", nil),
            ("/bin/bas", nil),
            ("/bin/bash/x", nil),
            // /bin is a directory of its own here.
            ("/usr/bin/bash", nil),
        ] as [(ByteString, PackageIdentity?)])
    func owner(path: ByteString, owner: PackageIdentity?) throws {
        let database = TestDatabase(Self.lists, setUp: "mkdir bin")
        let path = try TreePath(path)
        #expect(try DpkgDatabase(root: database.root).owners(of: [path])[path] == owner)
    }

    @Test("Where /bin is a link to /usr/bin a file is found under either name", arguments: ["usr/bin", "/usr/bin"])
    func merged(target: String) throws {
        let database = TestDatabase(Self.lists, setUp: "ln -s \(target) bin; mkdir lib; ln -s elsewhere sbin")
        let paths = try ["/bin/bash", "/usr/bin/bash", "/bin/tool.real", "/usr/lib/libc.so.6"].map { try TreePath($0) }
        let owners = try DpkgDatabase(root: database.root).owners(of: paths)
        #expect(owners[paths[0]] == Self.bash)
        #expect(owners[paths[1]] == Self.bash)
        #expect(owners[paths[2]]?.name == "tools")
        #expect(owners[paths[3]] == nil)
    }

    @Test(
        "Without a database there are no owners",
        arguments: ["rm -r var", "rm -r var/lib/dpkg/info", "rm -r var; : > var"])
    func absent(setUp: String) throws {
        let database = TestDatabase([String: String](), setUp: setUp)
        #expect(try DpkgDatabase(root: database.root).owners(of: [TreePath("/bin/bash")]).isEmpty)
    }

    @Test("Links of the root do not lead to the machine's database")
    func contained() throws {
        let database = TestDatabase(
            ["info/x.list": "/x\n"],
            setUp: """
                mv var/lib/dpkg real && ln -s ../../real var/lib/dpkg
                ln -s /var/lib/dpkg/info/bash.list real/info/bash.list
                """)
        let bash = try TreePath("/bin/bash")
        #expect(try DpkgDatabase(root: database.root).owners(of: [bash]).isEmpty)
        let host = TestDatabase(
            [String: String](), setUp: "rm -r var/lib/dpkg; ln -s ../../../../../../var/lib/dpkg var/lib/dpkg")
        #expect(try DpkgDatabase(root: host.root).owners(of: [bash]).isEmpty)
    }

    @Test("A root that is not there is an error")
    func noRoot() throws {
        #expect(throws: PackageDatabaseError.self) {
            try DpkgDatabase(root: "/nowhere").owners(of: [TreePath("/bin/bash")])
        }
    }

    @Test("Lines of any length are passed over, and the next one is read")
    func longLines() throws {
        for length in [8191, 8192, 8193, 1 << 18, (1 << 18) + 1, 3 << 18] {
            let long = "/" + String(repeating: "x", count: length - 1)
            let database = TestDatabase(["info/long.list": long + "\n/found\n" + long])
            let found = try TreePath("/found")
            #expect(try DpkgDatabase(root: database.root).owners(of: [found])[found]?.name == "long", "\(length)")
        }
    }

    @Test("Damage of any kind neither traps nor hides what is whole")
    func damaged() throws {
        var random = SplitMix(state: 7)
        let bash = try TreePath("/bin/bash")
        for _ in 0..<40 {
            var files = Self.lists.mapValues { Array($0.utf8) }
            for name in ["status", "diversions", "info/libc6:amd64.list", "info/wrapper.list"] {
                var bytes = files[name] ?? []
                for _ in 0..<8 where !bytes.isEmpty {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                }
                files[name] = Array(bytes.prefix(Int(random.next() % UInt64(bytes.count + 1))))
            }
            files["info/:.list"] = [0, 10, 10, 255]
            files["info/.list"] = Array("/bin\n".utf8)
            let database = TestDatabase(files, setUp: "mkfifo var/lib/dpkg/info/fifo.list")
            #expect(try DpkgDatabase(root: database.root).owners(of: [bash])[bash]?.name == "bash")
        }
    }
}

/// A seeded generator, so that a failure comes again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
