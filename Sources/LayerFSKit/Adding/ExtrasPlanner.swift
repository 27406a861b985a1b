import Bytes
import Loader

/// Plans what a request names beside programs: what is of this machine, and goes through the filter.
struct ExtrasPlanner {
    let request: AddRequest
    /// Of the machine itself, where files and directories named by path lie.
    private let files: HostFiles
    let filter: PlanFilter
    /// Of the root in which packages lie.
    let rootFiles: HostFiles

    /// - Parameters:
    ///   - root: where the root of programs and packages lies on this machine.
    ///   - home: the home directory of whoever runs layerfs.
    init(_ request: AddRequest, root: ByteString, home: ByteString?) throws(LayerFSError) {
        self.request = request
        let files = try HostFiles()
        self.files = files
        rootFiles = root == "/" ? files : try HostFiles(root)
        let allowed = request.allowed.compactMap { (try? files.find($0))?.path }
        let denyList = try DenyList(home: home.flatMap { (try? files.root.resolve($0))?.path }, allowed: allowed)
        filter = PlanFilter(excluding: request.excluded, denyList)
    }

    /// The files, directories and traces of the request.
    func plan() throws -> LayerPlan {
        var plan = LayerPlan()
        for file in request.files { plan.entries += filter.apply(to: try files.file(file, request.change)) }
        for directory in request.directories {
            var walk = DirectoryWalk(files, filter, request.change, .directory(directory.text))
            try walk.walk(directory)
            plan.entries += walk.entries
            plan.warnings += [walk.skipped.text].compactMap(\.self)
        }
        for trace in request.traces { plan.unite(try TracePlanner(files, filter).plan(trace)) }
        return plan
    }
}
