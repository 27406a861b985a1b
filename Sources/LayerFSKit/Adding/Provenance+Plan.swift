import Bytes
import LayerStore
import Loader
import Packages
import Trees

extension Provenance {
    /// What a plan says of the origin of its files.
    ///
    /// - Parameters:
    ///   - owners: the packages of those paths that have one.
    ///   - tree: what became of the plan.
    init(_ plan: LayerPlan, owners: [TreePath: Package], tree: Tree) {
        var told = ToldEntries(plan, owners: owners)
        // The first entry of a path counts.
        var listed: [TreePath: Int] = [:]
        for (index, entry) in plan.entries.enumerated() where listed[entry.path] == nil {
            if case .node(.directory, _, _) = entry.content { continue }
            if !told.contains(entry) { listed[entry.path] = index }
        }
        for (index, entry) in plan.entries.enumerated() {
            if let first = listed[entry.path], index < first, told.contains(entry) { listed[entry.path] = nil }
        }
        let files = listed.values.map { index in
            let entry = plan.entries[index]
            return Origin(
                path: entry.path, source: entry.source == entry.path.bytes ? nil : entry.source,
                package: entry.rootPath.flatMap { owners[$0] }, origin: told.text(of: entry.origin),
                isGenerated: entry.source == nil ? true : nil)
        }
        self.init(
            requests: plan.requests, directories: plan.directories,
            files: (files + Self.linksBesides(plan, tree)).sorted { $0.path < $1.path }, edges: plan.edges)
    }

    /// The links of a merged /usr that came along, where a directory seems to have brought them.
    private static func linksBesides(_ plan: LayerPlan, _ tree: Tree) -> [Origin] {
        guard plan.directories.contains(where: \.path.isRoot) else { return [] }
        var links = Set(tree.entries.lazy.filter { !$0.isDirectory && $0.path.parent.isRoot }.map(\.path))
        for entry in plan.entries { links.remove(entry.path) }
        return links.map { Origin(path: $0, source: nil, package: nil) }
    }
}

/// Which entries of a plan come as its directories have them, so that nothing needs to be said of each.
private struct ToldEntries {
    private let directories: [Provenance.Directory]
    private let owners: [TreePath: Provenance.Package]
    /// Few origins have many files: one text each.
    private var texts: [PlanOrigin: String?] = [:]

    init(_ plan: LayerPlan, owners: [TreePath: Provenance.Package]) {
        (directories, self.owners) = (plan.directories.byDepth, owners)
    }

    mutating func contains(_ entry: PlannedEntry) -> Bool {
        guard let source = entry.source, let directory = directories.first(where: { entry.path.isWithin($0.path) })
        else { return false }
        return directory.origin == text(of: entry.origin) && directory.source(of: entry.path) == source
            && entry.rootPath.flatMap { owners[$0] } == nil
    }

    mutating func text(of origin: PlanOrigin) -> String? {
        if let text = texts[origin] { return text }
        let text = origin.provenanceText
        texts[origin] = .some(text)
        return text
    }
}

extension PlanOrigin {
    /// In the provenance document; of programs the edges tell.
    var provenanceText: String? { self == .programs ? nil : description }
}

extension Provenance.Package {
    /// Names and versions of packages are ASCII (Debian policy, 5.6.1 and 5.6.12).
    init(_ package: PackageIdentity) {
        self.init(
            name: package.name.description, version: package.version?.description ?? "",
            architecture: package.architecture?.description ?? "")
    }
}

extension SearchPlace {
    /// The place in the words of the provenance document.
    var provenanceText: String {
        switch self {
        case .literal: "path"
        case .path(let directory): "PATH \(directory)"
        case .rpath(let element, let object): "RPATH \(element) of \(object)"
        case .runpath(let element, let object): "RUNPATH \(element) of \(object)"
        case .libraryPath(let directory): "library path \(directory)"
        case .cache: "ld.so.cache"
        case .systemDirectory(let directory): "system directory \(directory)"
        case .alreadyLoaded: "loaded already"
        }
    }
}
