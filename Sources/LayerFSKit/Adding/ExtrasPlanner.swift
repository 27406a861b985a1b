import Bytes

/// Plans what a request names beside programs: files and directories of this machine.
struct ExtrasPlanner {
    private let request: AddRequest
    private let files: HostFiles
    private let filter: PlanFilter

    init(_ request: AddRequest) throws(LayerFSError) {
        self.request = request
        files = try HostFiles()
        filter = PlanFilter(excluding: request.excluded)
    }

    func plan() throws -> LayerPlan {
        var plan = LayerPlan()
        for file in request.files { plan.entries += filter.apply(to: try files.file(file, request.change)) }
        for directory in request.directories {
            var walk = DirectoryWalk(files, filter, request.change, .directory(directory.text))
            try walk.walk(directory)
            plan.entries += walk.entries
            plan.warnings += [walk.skipped.text].compactMap(\.self)
        }
        return plan
    }
}
