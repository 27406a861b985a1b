import Bytes
import Loader
import Posix
import Trees

/// Plans what a run opened, from its log.
struct TracePlanner {
    private let files: HostFiles
    private let filter: PlanFilter
    private let options: ResolveOptions
    private static let limit = 1 << 30

    init(_ files: HostFiles, _ filter: PlanFilter, _ options: ResolveOptions) {
        (self.files, self.filter, self.options) = (files, filter, options)
    }

    /// The files of the log at `path`, with the links that lead to them, and what the programs executed need.
    ///
    /// What lies in the kernel's file systems is passed over: a root gets its own. What is gone since, as temporary files are,
    /// and relative paths whose directory the log does not tell, are left out and said.
    ///
    /// - Throws: ``LayerFSError/system(step:_:)`` when the log cannot be read.
    func plan(_ path: ByteString) throws -> LayerPlan {
        let bytes: [UInt8]
        do { bytes = try Files.read(path, limit: Self.limit) } catch {
            throw LayerFSError.system(step: "read the trace", error)
        }
        var plan = LayerPlan()
        var (relative, gone) = (0, 0)
        let kernel = try ["/proc", "/sys", "/dev"].map { try TreePath($0) }
        let log = StraceLog(bytes)
        for opened in log.opened {
            try Interruption.check()
            guard opened.bytes.first == UInt8(ascii: "/") else {
                relative += 1
                continue
            }
            // Before links are followed: /proc/self/exe is whatever runs here.
            if let place = try? TreePath(opened), kernel.contains(where: { place.isWithin($0) }) { continue }
            guard let found = try? files.root.resolve(opened) else {
                gone += 1
                continue
            }
            guard found.status.kind == .regular || found.status.kind == .directory, !found.path.isRoot,
                !kernel.contains(where: { found.path.isWithin($0) })
            else { continue }
            plan.entries += filter.apply(to: try files.entries(found, .trace(path)))
        }
        for program in log.executed { plan.unite(try closure(of: program)) }
        if relative > 0 {
            plan.warnings.append(
                "left out \(relative) relative paths of \(path): trace with strace -y to have their directories")
        }
        if gone > 0 { plan.notes.append("\(gone) files of \(path) are no longer there") }
        return plan
    }

    /// What the program needs that the log does not show: the kernel opens interpreters by itself.
    private func closure(of program: ByteString) throws -> LayerPlan {
        let resolver = ClosureResolver(files.root, options: options)
        // A program that is gone, or was no program of this root, is told of as a file.
        guard program.bytes.first == UInt8(ascii: "/"), (try? resolver.add(program)) != nil else { return LayerPlan() }
        let closure = resolver.closure()
        var plan = LayerPlan()
        guard closure.isComplete else {
            plan.notes = closure.unresolved.map { "\($0.program) lacks \($0.name), which its run did without" }
            return plan
        }
        plan = try LayerPlan(closure, isRequested: false)
        return plan
    }
}
