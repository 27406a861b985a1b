public import Bytes
import LayerStore
import OCI
import Posix
public import Sandbox
public import Trees

/// Runs a command in a root, which stays as it is.
public struct RunRoot: Sendable {
    private let workspace: Workspace
    private let temporaryDirectory: ByteString

    /// - Parameter temporaryDirectory: where the root is made when the store cannot be written.
    public init(_ workspace: Workspace, temporaryDirectory: ByteString) {
        self.workspace = workspace
        self.temporaryDirectory = temporaryDirectory
    }

    /// What a person may choose about a run.
    public struct Options: Sendable {
        /// Empty: the image's own command.
        public var command: [ByteString] = []
        /// `NAME=value`; in place of the image's variables of the same names.
        public var environment: [String] = []
        public var workingDirectory: String?
        /// `uid[:gid]` or names that the root's /etc/passwd and /etc/group know.
        public var user: String?
        /// The kind of terminal that the command will be on; nil for none.
        public var terminal: String?

        public init() {}
    }

    /// Makes a root of `expression`, runs the command in it, and takes it away.
    ///
    /// - Returns: how the command ended.
    /// - Throws: `SandboxError` when it could not be started; what selecting, composing and materializing throw.
    public func run(_ expression: RootExpression, _ options: Options) throws -> CommandStatus {
        let selection = try workspace.select(expression).withoutRepetitions
        let composition = try workspace.compose(selection)
        let execution = try ImageDefaults(workspace, selection).execution
        let scratch = try ScratchRoot(workspace.store, or: temporaryDirectory)
        _ = try Materialize(workspace, link: .hard).run(composition.tree, at: scratch.path)
        let own = (execution.command ?? []).map { ByteString($0) }
        let entrypoint = (execution.entrypoint ?? []).map { ByteString($0) }
        var specification = SandboxSpecification(
            root: scratch.path, command: entrypoint + (options.command.isEmpty ? own : options.command))
        specification.hostname = ByteString(selection.expression.description.utf8.prefix(64))
        if let directory = options.workingDirectory ?? execution.workingDirectory {
            specification.workingDirectory = try TreePath(ByteString(directory))
        }
        let users = UserLookup(composition.tree, workspace.store.blobs)
        if let user = options.user ?? execution.user { specification.user = try users.user(user) }
        // As container engines do, a command finds HOME, and on a terminal TERM; the image and the person come first.
        let home = "HOME=\(try users.home(of: specification.user) ?? "/")"
        specification.environment = ImageSettings.merging(
            [[home], options.terminal.map { ["TERM=\($0)"] } ?? [], execution.environment, options.environment]
        ).map { ByteString($0) }
        OpenFileLimit.restore()
        return try withExtendedLifetime(scratch) { try specification.run() }
    }
}
