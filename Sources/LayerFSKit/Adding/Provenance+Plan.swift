import Bytes
import LayerStore
import Loader
import Packages
import Trees

extension Provenance {
    /// What a plan says of the origin of its files.
    ///
    /// - Parameter owners: the packages of those paths that have one.
    init(_ plan: LayerPlan, owners: [TreePath: Package]) {
        var seen: Set<TreePath> = []
        let files = plan.entries.filter { entry in
            if case .node(.directory, _, _) = entry.content { return false }
            return seen.insert(entry.path).inserted
        }
        // Few origins have many files: one text each.
        var texts: [PlanOrigin: String?] = [:]
        for entry in files where texts[entry.origin] == nil { texts[entry.origin] = entry.origin.provenanceText }
        self.init(
            requests: plan.requests,
            files: files.sorted { $0.path < $1.path }.map { entry in
                Origin(
                    path: entry.path, source: entry.source == entry.path.bytes ? nil : entry.source,
                    package: entry.rootPath.flatMap { owners[$0] }, origin: texts[entry.origin] ?? nil,
                    isGenerated: entry.source == nil ? true : nil)
            },
            edges: plan.edges)
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
