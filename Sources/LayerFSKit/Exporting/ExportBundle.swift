import Bytes
import ImageTransport
import LayerStore
import OCI
import Posix
import Sandbox
import SystemPackage
import Trees

/// Makes a bundle: a root and how to run it, for runc, crun and others (runtime-spec, bundle.md; image-spec, conversion.md).
struct ExportBundle {
    private let workspace: Workspace

    init(_ workspace: Workspace) { self.workspace = workspace }

    /// Makes the directory `path`, which must not exist or be empty.
    ///
    /// The root is of copies, sharing blocks where the file system can: a container may write to it. Who makes it without being
    /// root gets a bundle for a container without root.
    func run(
        _ selection: Selection, _ composition: Composition, at path: ByteString, progress: ProgressMeter
    ) throws -> ExportImage.Result {
        let configuration = try configuration(selection, composition)
        let target = try TargetDirectory(path)
        do {
            try target.root.descriptor.setPermissions(0o755)
            try target.root.descriptor.makeDirectory("rootfs", mode: 0o755)
            let root = SharedDescriptor(
                try target.root.descriptor.open("rootfs", [.readOnly, .directory, .noFollow]))
            let summary = try Materialize(workspace, link: .reflink).fill(
                root, with: composition.tree, progress: progress)
            let file = try target.root.descriptor.open(
                "config.json", [.writeOnly, .create, .exclusive], mode: 0o644)
            try file.writeAll(configuration.canonicalBytes + [UInt8(ascii: "\n")])
            try file.syncData()
            try target.publish()
            let warnings =
                summary.skippedDevices == 0
                ? [] : ["\(summary.skippedDevices) device nodes were left out: making them needs root"]
            return ExportImage.Result(target: .bundle(path), layers: [], diffIDs: [], warnings: warnings)
        } catch let error as SystemError {
            target.discard()
            throw LayerFSError.system(step: "make the bundle \(path)", error)
        } catch {
            target.discard()
            throw error
        }
    }

    private func configuration(_ selection: Selection, _ composition: Composition) throws -> RuntimeConfiguration {
        let defaults = try ImageDefaults(workspace, selection)
        let execution = defaults.execution
        let arguments = (execution.entrypoint ?? []) + (execution.command ?? [])
        guard !arguments.isEmpty else {
            throw LayerFSError.malformedOption(
                name: "--bundle", value: selection.expression.description,
                expected:
                    "a root with a command: give it one with `layerfs compose \(selection.expression) -t NAME --cmd WORDS`"
            )
        }
        let users = UserLookup(composition.tree, workspace.store.blobs)
        let user = try execution.user.map { try users.user($0) }
        // What image-spec, conversion.md, carries over; a person's labels come last.
        var annotations = [
            "org.opencontainers.image.os": defaults.platform.os,
            "org.opencontainers.image.architecture": defaults.platform.architecture,
        ]
        if let signal = execution.stopSignal { annotations["org.opencontainers.image.stopSignal"] = signal }
        if !execution.exposedPorts.isEmpty {
            annotations["org.opencontainers.image.exposedPorts"] = execution.exposedPorts.joined(separator: ",")
        }
        annotations.merge(execution.labels) { $1 }
        var configuration = RuntimeConfiguration(
            arguments: arguments, environment: execution.environment,
            workingDirectory: execution.workingDirectory ?? "/", uid: user?.uid ?? 0, gid: user?.gid ?? 0,
            hostname: String(selection.expression.description.prefix(64)), annotations: annotations)
        if !CurrentProcess.canSetOwners {
            configuration.rootless = (CurrentProcess.effectiveUser, CurrentProcess.effectiveGroup)
        }
        return configuration
    }
}
