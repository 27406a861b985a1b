import Bytes
import Loader

/// Plans what a request names beside programs: what lies in the root, and goes through the filter.
struct ExtrasPlanner {
    let request: AddRequest
    /// Of the root: another one's, under `--root`, are looked for there and never on this machine.
    let files: HostFiles
    let filter: PlanFilter
    /// What is chosen about closures.
    let options: ResolveOptions

    /// - Parameters:
    ///   - root: where the root lies on this machine.
    ///   - home: the home directory of whoever runs layerfs.
    init(
        _ request: AddRequest, root: ByteString, home: ByteString?, options: ResolveOptions
    ) throws(LayerFSError) {
        self.request = request
        self.options = options
        let files = try HostFiles(root)
        self.files = files
        let allowed = request.allowed.compactMap { (try? files.find($0))?.path }
        let denyList = try DenyList(home: home.flatMap { (try? files.root.resolve($0))?.path }, allowed: allowed)
        filter = PlanFilter(excluding: request.excluded, denyList)
    }

    /// The files, directories and traces of the request.
    func plan() throws -> LayerPlan {
        var plan = LayerPlan()
        plan.isExact = request.isExact
        for file in request.files { plan.entries += filter.apply(to: try files.file(file, request.change)) }
        for directory in request.directories {
            var walk = DirectoryWalk(files, filter, request.change, .directory(directory.text))
            walk.isExact = request.isExact
            try walk.walk(directory)
            plan.entries += walk.entries
            plan.directories += walk.directories
            plan.warnings += [walk.skipped.text].compactMap(\.self)
        }
        for trace in request.traces { plan.unite(try TracePlanner(files, filter, options).plan(trace)) }
        return plan
    }
}
