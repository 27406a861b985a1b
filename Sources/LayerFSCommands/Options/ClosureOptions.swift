import ArgumentParser
import Bytes
import LayerFSKit
import Loader

/// Where programs are looked for, and how much of what they need is taken.
struct ClosureOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Take everything from another root, of any machine; all paths are of it, and nothing of this machine is read.",
            valueName: "dir"))
    var root: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Builds of libraries for newer processors: portable (the plain one and all of them), host, none, or names, as x86-64-v3,x86-64-v2.",
            valueName: "which"))
    var hwcaps = HardwareChoice.policy(.portable)

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Libraries loaded on demand, by the weakest priority to be taken: none, required, recommended or suggested.",
            valueName: "priority"))
    var dlopen = ResolveOptions.DlopenPolicy.recommended

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Known dependencies that no file states, such as libgcc_s for threads that end themselves: all or none (default: all for add, none for resolve).",
            valueName: "which"))
    var rules: RuleChoice?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Directories searched as those of LD_LIBRARY_PATH, which itself is not looked at.", valueName: "dir:…"))
    var libraryPath: String?

    @Flag(name: .long, help: "Take the libraries of the root's /etc/ld.so.preload, which are else only told of.")
    var preload = false

    /// Which rules are followed.
    enum RuleChoice: String, ExpressibleByArgument, CaseIterable {
        case all, none
    }

    /// The builds of libraries that are taken.
    enum HardwareChoice: ExpressibleByArgument {
        case policy(ResolveOptions.VariantPolicy)
        case host

        init?(argument: String) {
            switch argument {
            case "portable": self = .policy(.portable)
            case "none": self = .policy(.none)
            case "host": self = .host
            default:
                let names = argument.split(separator: ",", omittingEmptySubsequences: false).map {
                    ByteString(String($0))
                }
                guard names.allSatisfy(ProcessorLevels.isLevel) else { return nil }
                self = .policy(.levels(names))
            }
        }

        var defaultValueDescription: String { "portable" }

        var policy: ResolveOptions.VariantPolicy {
            switch self {
            case .policy(let policy): policy
            case .host: .levels(ProcessorLevels.host())
            }
        }
    }

    /// What these options choose.
    ///
    /// - Parameter rules: those followed where nothing is said.
    func resolveOptions(rules usual: RuleChoice) -> ResolveOptions {
        var options = ResolveOptions()
        options.variants = hwcaps.policy
        options.dlopen = dlopen
        options.rules = (rules ?? usual) == .all ? RuleTable.rules : []
        options.libraryPath = libraryPath.map { ResolveOptions.directories(of: ByteString(argument: $0)) } ?? []
        options.includesPreloads = preload
        return options
    }

    /// Where the root lies on this machine.
    ///
    /// - Throws: ``LayerFSError/unusableRoot(_:_:)``.
    func rootPath() throws -> ByteString {
        try root.map { try RootDirectory.locate(ByteString(argument: $0)) } ?? RootDirectory.machine
    }

    /// Where programs are looked up by name: another root has nothing to do with this machine's PATH.
    func searchPath(_ environment: Environment) -> [ByteString] {
        root == nil ? environment.searchPath : ResolveOptions.defaultPath
    }
}
