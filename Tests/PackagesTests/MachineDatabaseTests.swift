import Bytes
import Packages
import Testing

@Suite("The machine's own database", .enabled(if: Machine.hasDpkg, "dpkg is not installed"))
struct MachineDatabaseTests {
    private static let sample = "cat /var/lib/dpkg/info/*.list | sort -u | awk 'NR % 50 == 0' | head -2500"

    @Test("Says of every 50th file what dpkg -S says")
    func sameAsDpkg() throws {
        let sample = Machine.output(Self.sample)
        let paths = try sample.split(separator: "\n").map { try TreePath(ByteString(String($0))) }
        try #require(paths.count > 100)
        let owners = try DpkgDatabase().owners(of: paths)
        // One line a path: `package[:architecture][, package...]: path`; diversions have lines of their own.
        let answers = Machine.output(Self.sample + " | xargs -d '\\n' dpkg -S 2>/dev/null")
        var expected: [TreePath: Set<String>] = [:]
        var diverted: Set<TreePath> = []
        for line in answers.split(separator: "\n") {
            guard let colon = line.firstRange(of: ": /") else { continue }
            let path = try TreePath(ByteString(String(line[colon.lowerBound...].dropFirst(2))))
            guard !line.hasPrefix("diversion by") && !line.hasPrefix("local diversion") else {
                diverted.insert(path)
                continue
            }
            let packages = line[..<colon.lowerBound].split(separator: ",")
            let names = packages.map { $0.drop { $0 == " " }.split(separator: ":").first.map(String.init) ?? "" }
            expected[path, default: []].formUnion(names)
        }
        var compared = 0
        for path in paths where !diverted.contains(path) {
            guard let names = expected[path] else { continue }
            compared += 1
            let owner = owners[path].map { "\($0.name)" }
            #expect(names.count == 1 ? owner == names.first : owner == nil, "\(path): \(names)")
        }
        #expect(compared > 100)
    }

    @Test("Says of a package what dpkg-query says")
    func sameIdentity() throws {
        let path = try TreePath("/usr/bin/dpkg")
        let owner = try #require(try DpkgDatabase().owners(of: [path])[path])
        let known = Machine.output(
            "dpkg-query -W -f '${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}' dpkg")
        let version = owner.version ?? ""
        let said = [owner.name, version, owner.architecture ?? "", owner.source, owner.sourceVersion ?? version]
        #expect(said.map(\.description).joined(separator: " ") == known)
    }
}
