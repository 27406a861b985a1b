import ArgumentParser
import Bytes
package import LayerFSKit
package import LayerStore
import Posix

/// Which store to work on.
package struct StoreOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            The store's directory (default: $LAYERFS_STORE, else $XDG_DATA_HOME/layerfs, else ~/.local/share/layerfs). Named \
            again: further stores, which are only read.
            """,
            valueName: "dir"))
    var store: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How long to wait for a command that has the store for itself (default: 10).", valueName: "seconds"))
    var wait: UInt32?

    package init() {}

    /// Opens the store.
    package func workspace(_ access: Store.Access) throws -> Workspace {
        let environment = Environment.current
        let paths = try environment.storePaths(options: store.map { ByteString(argument: $0) }) {
            () throws(SystemError) in try Files.currentDirectory()
        }
        return try Workspace(
            stores: paths, access, patience: .seconds(wait ?? 10), trust: environment.storeTrust,
            sourceDateEpoch: try environment.sourceDateEpoch())
    }

    /// Opens the store to read it; nil when there is none yet.
    package func existingWorkspace() throws -> Workspace? {
        do {
            return try workspace(.reading)
        } catch LayerStoreError.noStore {
            return nil
        }
    }

    /// The store, which is opened to be added to while this thread goes on; one that does not exist is not made.
    func openingExisting() -> Background<Workspace?> {
        let options = self
        return Background(WorkerPool()) {
            do {
                return try options.workspace(.changing)
            } catch LayerStoreError.noStore {
                return nil
            }
        }
    }
}
