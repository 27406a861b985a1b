import Bytes
import Loader
import Packages
import Posix
import Trees

/// Plans installed packages: their files as they lie on disk, and what their programs and libraries need.
struct PackagePlanner {
    private let files: HostFiles
    private let filter: PlanFilter
    private let options: ResolveOptions
    private let database: DpkgDatabase
    private let takesDocumentation: Bool
    private let takesDependencies: Bool

    init(_ extras: ExtrasPlanner, root: ByteString) {
        (files, filter, options) = (extras.files, extras.filter, extras.options)
        database = DpkgDatabase(root: root)
        takesDocumentation = extras.request.takesDocumentation
        takesDependencies = extras.request.takesDependencies
    }

    /// A plan for each of `names`.
    ///
    /// - Throws: `PackageDatabaseError`; ``UnresolvedClosure`` when a command of a package lacks something.
    func plans(of names: [ByteString]) throws -> [(package: PackageIdentity, plan: LayerPlan)] {
        let alternatives = try database.alternatives()
        return try database.contents(ofPackages: names).map { package in
            var plan = try plan(package, alternatives)
            let others = try database.dependencies(ofPackages: [package.identity.name])
            if takesDependencies {
                for other in try database.contents(ofPackages: others) {
                    plan.unite(try self.plan(other, alternatives))
                }
            } else if !others.isEmpty {
                plan.notes.append(
                    "\(package.identity.name) depends on \(others.count) packages; --with-depends adds them")
            }
            return (package.identity, plan)
        }
    }

    /// The packages that own `programs`.
    ///
    /// - Throws: ``LayerFSError/noPackage(of:)``.
    func rest(of programs: [TreePath]) throws -> LayerPlan {
        let owners = try database.owners(of: programs)
        var names: [ByteString] = []
        for program in programs {
            guard let owner = owners[program] else { throw LayerFSError.noPackage(of: program) }
            let name = owner.name + (owner.architecture.map { ":" + $0 } ?? "")
            // `all` is what a package says of itself; by that name none is installed for an architecture.
            if !names.contains(name) { names.append(owner.architecture == "all" ? owner.name : name) }
        }
        return try plans(of: names).reduce(into: LayerPlan()) { $0.unite($1.plan) }
    }

    private func plan(_ package: PackageContents, _ alternatives: [Alternative]) throws -> LayerPlan {
        var listing = PackageListing(files, origin: .package(package.identity.name))
        for path in package.paths where takesDocumentation || !PackageListing.isDocumentation(path) {
            try Interruption.check()
            try listing.add(path)
        }
        for alternative in alternatives where takesDocumentation || !PackageListing.isDocumentation(alternative.link) {
            try listing.add(alternative)
        }
        var plan = LayerPlan()
        plan.entries += filter.apply(to: listing.entries)
        if listing.missing > 0 {
            plan.notes.append("\(listing.missing) files of \(package.identity.name) are not on the disk")
        }
        let needs = try PackageNeeds(files.root, of: plan.entries, options)
        plan.unite(try LayerPlan(needs.closure, isRequested: false))
        plan.notes += needs.notes
        return plan
    }
}
