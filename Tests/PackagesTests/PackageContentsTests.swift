import Bytes
import Packages
import Testing

@Suite("The contents of packages")
struct PackageContentsTests {
    static let lists = SyntheticDatabaseTests.lists.merging([
        "status": SyntheticDatabaseTests.status
            + "\nPackage: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"
            + "\nPackage: tools\nStatus: install ok installed\nArchitecture: all\nVersion: 2\n"
            + "\nPackage: half\nStatus: install reinstreq half-installed\nArchitecture: amd64\nVersion: 2\n",
        "info/half.list": "/half\n", "info/odd.list": "relative\n/../up\n/ok\n",
        "alternatives/awk":
            "auto\n/usr/bin/awk\nawk.1.gz\n/usr/share/man/man1/awk.1.gz\n\n/usr/bin/mawk\n5\n\n",
        "alternatives/empty": "", "alternatives/cut": "auto\n", "alternatives/bad": "auto\nrelative\n../x\n/y\n\n",
    ]) { $1 }

    private static func database() -> TestDatabase { TestDatabase(lists, setUp: "mkdir var/lib/dpkg/alternatives") }

    @Test(
        "Are its list, where diversions put it",
        arguments: [
            ("bash", "amd64", ["/bin", "/bin/bash", "/usr", "/usr/share/doc/bash"]),
            ("bash:amd64", "amd64", ["/bin", "/bin/bash", "/usr", "/usr/share/doc/bash"]),
            ("libc6", "amd64", ["/usr", "/lib/libc.so.6", "/usr/share/doc/libc6/copyright"]),
            ("libc6:i386", "i386", ["/usr", "/lib/i386/libc.so.6", "/usr/share/doc/libc6/copyright"]),
            ("tools", "all", ["/usr/bin/tool.real"]),
        ] as [(ByteString, ByteString, [String])])
    func contents(name: ByteString, architecture: ByteString, paths: [String]) throws {
        let database = Self.database()
        let found = try DpkgDatabase(root: database.root).contents(ofPackages: [name])
        #expect(found.map(\.identity.architecture) == [architecture])
        #expect(found.first?.paths.map(\.description) == paths)
    }

    @Test(
        "What is not installed is named, with what is near",
        arguments: [
            ("bahs", ["bash"]), ("old", []), ("half", []), ("libc6:arm64", []), ("", []), (":", []), ("../bash", []),
            ("odd", []),
        ] as [(ByteString, [String])])
    func absent(name: ByteString, near: [String]) throws {
        let database = Self.database()
        #expect { try DpkgDatabase(root: database.root).contents(ofPackages: ["bash", name]) } throws: { error in
            guard case PackageDatabaseError.notInstalled(name, let found) = error else { return false }
            return near.allSatisfy(found.contains)
        }
        let empty = TestDatabase([String: String](), setUp: "rm -r var")
        #expect(throws: PackageDatabaseError.self) {
            try DpkgDatabase(root: empty.root).contents(ofPackages: ["bash"])
        }
    }

    @Test("Links of the alternatives are those of the groups' headers")
    func alternatives() throws {
        let database = Self.database()
        let found = try DpkgDatabase(root: database.root).alternatives()
        #expect(
            found == [
                Alternative(name: "awk", link: try TreePath("/usr/bin/awk")),
                Alternative(name: "awk.1.gz", link: try TreePath("/usr/share/man/man1/awk.1.gz")),
            ])
    }

    @Test(
        "Say of a package what dpkg -L says", .enabled(if: Machine.hasDpkg, "dpkg is not installed"),
        arguments: [
            "dpkg", "base-files", "libc6",
        ])
    func sameAsDpkg(name: String) throws {
        let said = Machine.output("dpkg -L \(name)").split(separator: "\n").map(String.init)
        try #require(said.count > 10)
        let found = try DpkgDatabase().contents(ofPackages: [ByteString(name)])[0].paths.map(\.description)
        #expect(found == said.filter { $0.hasPrefix("/") && $0 != "/." })
    }
}
