public import Bytes
import Posix

/// What an installed package put into its root.
public struct PackageContents: Hashable, Sendable {
    public var identity: PackageIdentity
    /// Files, links and directories in the order of its list, without `/`: where diversions put them, but under the names of
    /// the time when it was packaged, which may lead through `/lib -> usr/lib` and the like. Not all need exist.
    public var paths: [TreePath]
}

extension DpkgDatabase {
    /// What each of the installed packages `names` put into the root. A name may be `name` or `name:architecture`; without
    /// an architecture it is that of the root, where the package is installed for several.
    ///
    /// - Throws: ``PackageDatabaseError/notInstalled(_:near:)``, also where there is no database.
    public func contents(ofPackages names: [ByteString]) throws(PackageDatabaseError) -> [PackageContents] {
        let found: [Result<PackageContents, PackageDatabaseError>]
        do throws(SystemError) {
            found = try find(packages: names)
        } catch {
            throw .unreadable(error)
        }
        var contents: [PackageContents] = []
        for result in found { contents.append(try result.get()) }
        return contents
    }

    private func find(
        packages names: [ByteString]
    ) throws(SystemError) -> [Result<PackageContents, PackageDatabaseError>] {
        let root = try Files.open(root, [.path, .directory])
        guard let lists = try root.openInRoot("var/lib/dpkg/info", directory: true),
            let status = try root.openInRoot("var/lib/dpkg/status", directory: false)
        else { return names.map { .failure(.notInstalled($0, near: [])) } }
        let reader = LineReader()
        var diversions = Diversions()
        if let file = try root.openInRoot("var/lib/dpkg/diversions", directory: false) {
            diversions = Diversions(file, reader)
        }
        var known: [ByteString: [StatusFile.Key]] = [:]
        try lists.forEachEntry(withSuffix: ".list") { file in
            let package = Self.package(ofList: file)
            known[package.name, default: []].append(package)
        }
        let native = StatusFile.Key(name: "dpkg", architecture: nil)
        let wanted = Set(names.flatMap { known[Self.key($0).name] ?? [] })
        let identities = StatusFile.identities(of: wanted.union([native]), in: status, reader, installedOnly: true)
        return names.map { name in
            let key = Self.key(name)
            let candidates = (known[key.name] ?? []).filter { candidate in
                guard let identity = identities[candidate] else { return false }
                return key.architecture == nil || identity.architecture == key.architecture
            }
            let architecture = identities[native]?.architecture
            let chosen =
                candidates.first { identities[$0]?.architecture == architecture }
                ?? candidates.min { ($0.architecture ?? "") < ($1.architecture ?? "") }
            guard let chosen, let identity = identities[chosen], let list = lists.openEntry(Self.list(of: chosen))
            else {
                let texts = known.keys.map(\.description)
                return .failure(.notInstalled(name, near: EditDistance.near(name.description, among: texts)))
            }
            var paths: [TreePath] = []
            reader.forEachLine(of: list) { line in
                let installed = diversions.installedName(of: ByteString(line), in: chosen.name)
                if let path = try? TreePath(installed), !path.isRoot { paths.append(path) }
            }
            return .success(PackageContents(identity: identity, paths: paths))
        }
    }

    private static func key(_ name: ByteString) -> StatusFile.Key {
        let parts = name.split(on: UInt8(ascii: ":"))
        return StatusFile.Key(name: parts[0], architecture: parts.count > 1 ? parts[1] : nil)
    }

    private static func list(of package: StatusFile.Key) -> ByteString {
        package.name + (package.architecture.map { ":" + $0 } ?? "") + ".list"
    }
}
