public import Bytes
import Posix

/// dpkg's record of what is installed in a root (dpkg(1), FILES): which package a file came from.
///
/// Nothing is kept between questions: each reads every package's list of files once, so many paths are best asked for
/// together. Memory does not grow with the database.
public struct DpkgDatabase: Sendable {
    /// The directory whose `var/lib/dpkg` is read.
    public let root: ByteString

    public init(root: ByteString = "/") {
        self.root = root
    }

    /// The packages that own `paths`. A path that no package owns is absent, and so is one that several own, as
    /// directories are; but of the architectures of one package that share a file the first in order stands for all.
    ///
    /// Diversions (dpkg-divert(1)) are followed. Where `/bin` is a link to `/usr/bin`, and so on, a file is found under
    /// either name. A link of the alternatives system belongs to nobody: ask for what it points to. Without a database
    /// there are no owners; damaged parts of one are passed over.
    ///
    /// - Throws: ``PackageDatabaseError`` when the database is there and cannot be opened.
    public func owners(of paths: [TreePath]) throws(PackageDatabaseError) -> [TreePath: PackageIdentity] {
        do throws(SystemError) {
            return try find(paths)
        } catch {
            throw .unreadable(error)
        }
    }

    private func find(_ paths: [TreePath]) throws(SystemError) -> [TreePath: PackageIdentity] {
        guard !paths.isEmpty else { return [:] }
        let root = try Files.open(root, [.path, .directory])
        guard let lists = try root.openInRoot("var/lib/dpkg/info", directory: true) else { return [:] }
        let reader = LineReader()
        let merged = MergedDirectories(root: root)
        var diversions = Diversions()
        if let file = try root.openInRoot("var/lib/dpkg/diversions", directory: false) {
            diversions = Diversions(file, reader)
        }

        let claims = try claims(on: paths, lists, diversions, merged, reader)
        let wanted = Set(claims.values)
        guard let status = try root.openInRoot("var/lib/dpkg/status", directory: false) else {
            return claims.mapValues { PackageIdentity(name: $0.name, architecture: $0.architecture) }
        }
        let identities = StatusFile.identities(of: wanted, in: status, reader)
        return claims.mapValues {
            identities[$0] ?? PackageIdentity(name: $0.name, architecture: $0.architecture)
        }
    }

    /// The one package that lists each path, under its own name or, where no package does, under its alias.
    private func claims(
        on paths: [TreePath], _ lists: borrowing OwnedDescriptor, _ diversions: Diversions, _ merged: MergedDirectories,
        _ reader: borrowing LineReader
    ) throws(SystemError) -> [TreePath: StatusFile.Key] {
        var listed: Set<ByteString> = []
        for path in paths {
            for name in [path.bytes, merged.alias(of: path.bytes)].compactMap(\.self) {
                listed.formUnion(diversions.listedNames(of: name))
            }
        }
        let wanted = WantedPaths(listed)
        var owners: [ByteString: Claim] = [:]
        var names: [ByteString] = []
        try lists.forEachEntry(withSuffix: ".list") { names.append($0) }
        for name in names {
            guard let list = lists.openEntry(name) else { continue }
            let package = Self.package(ofList: name)
            reader.forEachLine(of: list) { line in
                guard let path = wanted.match(line) else { return }
                owners[diversions.installedName(of: path, in: package.name), default: .none].add(package)
            }
        }
        var result: [TreePath: StatusFile.Key] = [:]
        for path in paths {
            let own = owners[path.bytes] ?? merged.alias(of: path.bytes).flatMap { owners[$0] }
            if case .one(let package) = own { result[path] = package }
        }
        return result
    }

    /// `name.list`, or `name:architecture.list` of a package that can be installed for several.
    static func package(ofList file: ByteString) -> StatusFile.Key {
        let parts = ByteString(file.bytes.dropLast(5)).split(on: UInt8(ascii: ":"))
        return StatusFile.Key(name: parts[0], architecture: parts.count > 1 ? parts[1] : nil)
    }

    private enum Claim {
        case none
        case one(StatusFile.Key)
        case several

        mutating func add(_ package: StatusFile.Key) {
            switch self {
            case .none: self = .one(package)
            case .one(let other) where other.name == package.name:
                // Lists come in the order of the directory, which is none.
                if (package.architecture ?? "") < (other.architecture ?? "") { self = .one(package) }
            case .one, .several: self = .several
            }
        }
    }
}
