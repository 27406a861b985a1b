import Bytes
import Loader

/// Plans what a request names beside programs.
struct ExtrasPlanner {
    private let request: AddRequest
    private let files: HostFiles
    private let filter: PlanFilter

    /// - Parameter home: the home directory of whoever runs layerfs.
    init(_ request: AddRequest, home: ByteString?) throws(LayerFSError) {
        self.request = request
        let files = try HostFiles()
        self.files = files
        let allowed = request.allowed.compactMap { (try? files.find($0))?.path }
        let denyList = try DenyList(home: home.flatMap { (try? files.root.resolve($0))?.path }, allowed: allowed)
        filter = PlanFilter(excluding: request.excluded, denyList)
    }

    /// The files and directories of the request.
    func plan() throws -> LayerPlan {
        var plan = LayerPlan()
        for file in request.files { plan.entries += filter.apply(to: try files.file(file, request.change)) }
        for directory in request.directories {
            var walk = DirectoryWalk(files, filter, request.change, .directory(directory.text))
            try walk.walk(directory)
            plan.entries += walk.entries
            plan.warnings += [walk.skipped.text].compactMap(\.self)
        }
        try filter.check(plan)
        return plan
    }
}
