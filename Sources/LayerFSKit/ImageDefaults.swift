import Bytes
import LayerStore
public import OCI

/// The execution parameters of an image, with what its settings leave open filled in from its layers.
public struct ImageDefaults: Sendable {
    public let platform: Platform
    public let execution: Execution

    /// - Throws: ``LayerFSError/mixedPlatforms(_:)`` when the layers are for different machines and the settings do not
    ///   choose; `OCIError` for a platform that is none.
    init(_ workspace: Workspace, _ selection: Selection) throws {
        let settings = selection.settings
        let platforms = Set(selection.layers.compactMap(\.record.platform)).sorted()
        guard settings.platform != nil || platforms.count <= 1 else { throw LayerFSError.mixedPlatforms(platforms) }
        platform = try Platform(parsing: settings.platform ?? platforms.first ?? HostPlatform.text)
        var environment = settings.environment
        if !environment.contains(where: { ImageSettings.variableName($0) == "PATH" }) {
            environment.insert("PATH=\(Environment.defaultPath)", at: 0)
        }
        var command = settings.command
        if command == nil, settings.entrypoint == nil, let program = try Self.firstProgram(workspace, selection) {
            command = [program]
        }
        execution = Execution(
            user: settings.user, exposedPorts: settings.exposedPorts, environment: environment,
            entrypoint: settings.entrypoint, command: command, workingDirectory: settings.workingDirectory,
            labels: settings.labels, stopSignal: settings.stopSignal)
    }

    /// The path of the program that the lowest layer with programs was made for. JSON has no bytes: a path that is not
    /// UTF-8 cannot be a command in an image.
    private static func firstProgram(_ workspace: Workspace, _ selection: Selection) throws -> String? {
        for layer in selection.layers {
            guard let program = try workspace.store.requests(of: layer.record).first else { continue }
            // As it was found, which may be by a link; where that goes up and down, the file itself.
            let path = (try? TreePath(program.opened)) ?? program.path
            return path.bytes.utf8Text
        }
        return nil
    }
}

/// The platform of this machine, for images without programs.
package enum HostPlatform {
    /// As a value.
    package static var platform: Platform {
        let parts = text.split(separator: "/")
        return Platform(os: String(parts[0]), architecture: String(parts[1]))
    }

    static var text: String {
        #if arch(x86_64)
            "linux/amd64"
        #elseif arch(arm64)
            "linux/arm64"
        #elseif arch(riscv64)
            "linux/riscv64"
        #elseif arch(s390x)
            "linux/s390x"
        #elseif arch(powerpc64le)
            "linux/ppc64le"
        #else
            "linux/unknown"
        #endif
    }
}
