import Bytes
import LayerStore
import Loader
import OCI
public import Trees

/// Proves of a composed tree, before anything is written, that all its programs find what they need inside it: interpreters,
/// libraries with the versions of symbols that are asked for, required dlopens, interpreters of scripts.
public struct CheckRoot: Sendable {
    private let workspace: Workspace

    public init(_ workspace: Workspace) { self.workspace = workspace }

    /// Checks what `expression` composes to.
    ///
    /// - Throws: ``LayerFSError``, `CompositionError`, `LayerStoreError`. What a program lacks is not thrown.
    public func run(_ expression: RootExpression) throws -> RootCheck {
        let selection = try workspace.select(expression).withoutRepetitions
        return try run(selection, workspace.compose(selection).tree)
    }

    /// Checks `tree`, to which `selection` composes.
    ///
    /// Every file that can be started is: with an x bit, and ELF or a `#!` script. Of shared objects, those that no program
    /// loads by itself are looked at too: plugins, which must find their libraries.
    func run(_ selection: Selection, _ tree: Tree) throws -> RootCheck {
        let execution = try ImageDefaults(workspace, selection).execution
        let files = TreeFiles(tree, workspace.store)
        var found = Findings(tree, optional: try optionalPrograms(selection))
        let resolver = ClosureResolver(SourceRoot(files), options: Self.options(execution))
        if let command = ((execution.entrypoint ?? []) + (execution.command ?? [])).first {
            do { try resolver.add(ByteString(command)) } catch { found.add(.command(command, error), for: .root) }
        }
        let regular = tree.entries.filter { if case .file(_, let size) = $0.kind { size > 0 } else { false } }
        for entry in regular where entry.metadata.mode & 0o111 != 0 && !entry.path.isSharedObject {
            found.examine(entry.path, resolver)
        }
        for entry in regular where entry.path.isSharedObject && !resolver.contains(entry.path) {
            found.examine(entry.path, resolver)
        }
        if let failure = files.failure { throw failure }
        return found.check(resolver.closure())
    }

    /// What the programs are started with: the search paths of the image's environment.
    private static func options(_ execution: Execution) -> ResolveOptions {
        var options = ResolveOptions()
        options.dlopen = .required
        for variable in execution.environment {
            guard let separator = variable.firstIndex(of: "=") else { continue }
            let value = ByteString(variable[variable.index(after: separator)...].utf8)
            switch variable[..<separator] {
            case "PATH": options.path = value.split(on: UInt8(ascii: ":")).filter { $0.hasPrefix("/") }
            case "LD_LIBRARY_PATH":
                options.libraryPath = value.bytes.split { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ";") }
                    .map { ByteString($0) }
            default: break
            }
        }
        if let directory = execution.workingDirectory { options.startDirectory = ByteString(directory) }
        return options
    }

    /// What came with a package and was no command of it: such a plugin or example may lack what only a recommended package
    /// brings, as it does on the host (Debian policy, 7.2).
    private func optionalPrograms(_ selection: Selection) throws -> Set<TreePath> {
        var optional: Set<TreePath> = []
        for layer in selection.layers {
            for file in try workspace.store.provenance(of: layer.record)?.files ?? []
            where file.origin?.hasPrefix("package ") == true && !PackageNeeds.isCommand(file.path) {
                optional.insert(file.path)
            }
        }
        return optional
    }
}

extension TreePath {
    /// Whether the file is called as shared objects are: `libc.so.6`, `plugin.so`.
    fileprivate var isSharedObject: Bool {
        name.hasSuffix(".so") || name.bytes.firstRange(of: Array(".so.".utf8)) != nil
    }
}
