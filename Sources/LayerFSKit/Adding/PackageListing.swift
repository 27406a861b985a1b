import Bytes
import LayerStore
import Loader
import Packages
import Posix
import Trees

/// The files of a package's list as they lie on the disk.
struct PackageListing {
    private let files: HostFiles
    private let origin: PlanOrigin
    private(set) var entries: [PlannedEntry] = []
    /// How many of its files are not there: configuration that was removed, documentation that dpkg was told to leave out.
    private(set) var missing = 0
    private var taken: Set<TreePath> = []

    init(_ files: HostFiles, origin: PlanOrigin) { (self.files, self.origin) = (files, origin) }

    /// Where packages keep what people read, and programs only translate their messages with.
    private static let documentation: [ByteString] = [
        "/usr/share/doc", "/usr/share/man", "/usr/share/info", "/usr/share/locale", "/usr/share/lintian",
        "/usr/share/doc-base",
    ]

    static func isDocumentation(_ path: TreePath) -> Bool {
        documentation.contains { path.bytes == $0 || path.bytes.hasPrefix($0 + "/") }
    }

    /// Adds `path` of the list, and the links that lead to its directory.
    mutating func add(_ path: TreePath) throws(LayerFSError) {
        let parent: ResolvedPath
        do { parent = try files.root.resolve(path.parent.bytes) } catch { return missing += 1 }
        let place = parent.path.appending(path.name)
        guard taken.insert(place).inserted else { return }
        let source = files.root.hostPath(of: place)
        let status: FileStatus
        do {
            guard let found = try Files.statusIfPresent(source) else { return missing += 1 }
            status = found
        } catch {
            throw .system(step: "examine a file of \(origin)", error)
        }
        for entry in try files.way(to: parent, origin) where taken.insert(entry.path).inserted { entries.append(entry) }
        switch status.kind {
        case .regular:
            let content = PlannedEntry.Content.file(source: source, SourceState(status))
            entries.append(PlannedEntry(place, content, origin, rootPath: place))
        // What is mounted there now is not the package's directory.
        case .directory where place.bytes == "/proc" || place.bytes == "/sys":
            entries.append(PlannedEntry(place, .madeDirectory(mode: 0o755), origin))
        case .directory, .symlink: entries.append(try files.node(place, origin))
        default: break
        }
    }

    /// Adds the links of `alternative` where they lead to a file of the package.
    mutating func add(_ alternative: Alternative) throws(LayerFSError) {
        guard let found = try? files.root.resolve(alternative.link.bytes), taken.contains(found.path),
            found.links.contains(where: { $0.path.bytes == "/etc/alternatives/" + alternative.name })
        else { return }
        for entry in try files.way(to: found, origin) where taken.insert(entry.path).inserted { entries.append(entry) }
    }
}
