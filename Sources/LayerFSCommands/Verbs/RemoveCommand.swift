import ArgumentParser
import LayerFSKit
import LayerStore
import Trees

/// `layerfs rm NAME…`
struct RemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Forget the names of layers or images.",
        discussion: """
            An image keeps the layers it stacks, whatever becomes of their names. Contents stay in the store until \
            `layerfs gc` collects those that nothing uses.
            """)

    @Argument(help: ArgumentHelp("The names to forget.", valueName: "name"), transform: Name.init)
    var names: [Name]

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        let console = outputOptions.console
        let store = try storeOptions.workspace(.changing).store
        // All or nothing: a misspelt name must not leave the others gone.
        for name in names where try store.lookUp(name) == nil {
            throw LayerFSError.noSuchName(name, near: try store.near(name))
        }
        for name in Set(names).sorted() {
            let removal = try store.remove(name)
            let users = removal.stillUsedBy
            console.note(
                "removed the \(removal.kind.rawValue) \(name)"
                    + (users.isEmpty ? "" : "; its content stays for \(users.joined(separator: ", "))"))
        }
    }
}
