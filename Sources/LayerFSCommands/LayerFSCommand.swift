public import ArgumentParser

/// The command line: `layerfs VERB …`.
public struct LayerFSCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "layerfs",
        abstract:
            "Name the programs. Get the smallest root that runs them, store every file once, hand it over as an OCI image.",
        discussion: """
            layerfs add bash                      take bash and all it needs to start
            layerfs add ls
            layerfs compose bash+ls -t shell      stack layers into an image
            layerfs run shell -- ls /             try it: no root, no daemon
            layerfs materialize shell ./root      a root that costs no disk
            layerfs export shell --oci ./image    or --docker, --tar

            An expression such as bash+ls is a name wherever a root is asked for. Data goes to standard output, everything \
            else to standard error. Exit codes: 0 done, 1 failure, 2 not found, 3 unresolved dependency, 4 conflict, \
            5 integrity, 6 busy, 64 wrong usage; `run` passes on the command's own.
            """,
        version: LayerFSVersion.line,
        subcommands: [
            AddCommand.self, ComposeCommand.self, CheckCommand.self, RunCommand.self, MaterializeCommand.self,
            MountCommand.self, UnmountCommand.self, ExportCommand.self, ImportCommand.self, IndexCommand.self,
            ListCommand.self, ShowCommand.self, WhyCommand.self, DiskUsageCommand.self, RemoveCommand.self,
            CheckStoreCommand.self, CollectGarbageCommand.self, ReindexCommand.self, ResolveCommand.self,
            ValidateCommand.self, CompareCommand.self, PushCommand.self, PullCommand.self, ListRemoteCommand.self,
            LoginCommand.self, LogoutCommand.self,
        ])

    public init() {}
}

/// The version of this program.
public enum LayerFSVersion {
    public static let text = "0.1.0"
    /// What `layerfs --version` prints.
    static let line = "layerfs " + text
}
