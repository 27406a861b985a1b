import Bytes
import LayerStore
import Loader
import Packages

extension Provenance {
    /// What a closure says of the origin of its files.
    ///
    /// - Parameter owners: the packages of those paths that have one.
    init(_ closure: Closure, owners: [TreePath: Package]) {
        self.init(
            requests: closure.programs.map { Request(text: $0.request.description, path: $0.path, opened: $0.literalPath) },
            files: closure.files.filter { $0.kind != .directory }.map { file in
                Origin(
                    path: file.path, source: file.sourcePath == file.path.bytes ? nil : file.sourcePath,
                    package: owners[file.path])
            },
            edges: closure.edges.map { edge in
                Edge(
                    from: edge.from, to: edge.to, kind: edge.kind.rawValue, name: edge.name,
                    found: edge.place.provenanceText)
            })
    }
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
