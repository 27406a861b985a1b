import Bytes
import LayerStore
import Loader
import Posix
import Trees

/// Plans presets.
struct PresetPlanner {
    private let files: HostFiles
    private let filter: PlanFilter

    init(_ extras: ExtrasPlanner) { (files, filter) = (extras.files, extras.filter) }

    /// The plan of the preset `name`.
    ///
    /// - Throws: ``LayerFSError/unknownPreset(_:)``, ``LayerFSError/incompletePreset(_:lacking:package:)``.
    func plan(_ name: String) throws -> LayerPlan {
        guard let preset = Preset.all.first(where: { $0.name == name }) else { throw LayerFSError.unknownPreset(name) }
        var plan = LayerPlan()
        plan.presets = [name]
        for item in preset.items { plan.entries += try entries(item, of: preset) }
        return plan
    }

    private func entries(_ item: Preset.Item, of preset: Preset) throws -> [PlannedEntry] {
        let origin = PlanOrigin.preset(preset.name)
        switch item {
        case .directory(let path, let mode): return try made(path, .madeDirectory(mode: mode), origin)
        case .file(let path, let mode, let text):
            return try made(path, .generated(Array(text.utf8), mode: mode), origin)
        case .link(let path, let target):
            return try made(path, .node(.symlink(target: target), Metadata(mode: 0o777), source: nil), origin)
        case .device(let path, let mode, let major, let minor):
            let kind = Entry.Kind.characterDevice(major: major, minor: minor)
            return try made(path, .node(kind, Metadata(mode: mode), source: nil), origin)
        case .host(let path, let package):
            guard let found = try? files.root.resolve(path), found.status.kind == .regular else {
                throw LayerFSError.incompletePreset(preset.name, lacking: path, package: package)
            }
            return filter.apply(to: try files.entries(found, origin))
        case .optional(let path):
            guard let found = try? files.root.resolve(path) else { return [] }
            return filter.apply(to: try files.entries(found, origin))
        case .anyOf(let paths, let package):
            for path in paths {
                if let found = try? files.root.resolve(path) {
                    return filter.apply(to: try files.entries(found, origin))
                }
            }
            throw LayerFSError.incompletePreset(preset.name, lacking: paths.last ?? "", package: package)
        case .tree(let path, let package):
            guard let found = try tree(path, origin) else {
                throw LayerFSError.incompletePreset(preset.name, lacking: path, package: package)
            }
            return found
        case .libraryTree(let name, let package):
            let found = try libraryDirectories.compactMap { try tree($0 + "/" + name, origin) }
            guard !found.isEmpty else {
                throw LayerFSError.incompletePreset(preset.name, lacking: "/usr/lib/*/" + name, package: package)
            }
            return found.flatMap(\.self)
        case .links(let directory, let targets, let package):
            return try links(in: directory, below: targets.map { try TreePath($0) }, origin) {
                LayerFSError.incompletePreset(preset.name, lacking: directory, package: package)
            }
        }
    }

    /// An entry that layerfs makes up.
    private func made(
        _ path: ByteString, _ content: PlannedEntry.Content, _ origin: PlanOrigin
    ) throws -> [PlannedEntry] {
        let path = try TreePath(path)
        let place = files.placed(path.parent).appending(path.name)
        return filter.apply(to: [PlannedEntry(place, content, origin)])
    }

    /// A directory with all below it, and the way to it; nil where there is none.
    private func tree(_ path: ByteString, _ origin: PlanOrigin) throws -> [PlannedEntry]? {
        guard let found = try? files.root.resolve(path), found.status.kind == .directory else { return nil }
        var walk = DirectoryWalk(files, filter, MetadataChange(), origin)
        try walk.walk(found, at: found.path)
        return filter.apply(to: try files.way(to: found, origin)) + walk.entries
    }

    /// Where systems have libraries: /usr/lib64, /usr/lib, and a machine's own directory in that.
    private var libraryDirectories: [ByteString] {
        let parents: [ByteString] = ["/usr/lib", "/usr/lib32", "/usr/lib64"]
        return parents.flatMap { parent in
            [parent]
                + files.root.names(in: parent).filter { $0.contains(UInt8(ascii: "-")) }.sorted().map {
                    parent + "/" + $0
                }
        }
    }

    private func links(
        in directory: ByteString, below targets: [TreePath], _ origin: PlanOrigin, ifAbsent: () -> LayerFSError
    ) throws -> [PlannedEntry] {
        guard files.root.isDirectory(directory) else { throw ifAbsent() }
        var entries: [PlannedEntry] = []
        for name in files.root.names(in: directory).sorted() {
            guard let found = try? files.root.resolve(directory + "/" + name), found.status.kind == .regular,
                !found.links.isEmpty, targets.contains(where: { found.path.isWithin($0) })
            else { continue }
            entries += try files.entries(found, origin)
        }
        return filter.apply(to: entries)
    }
}
