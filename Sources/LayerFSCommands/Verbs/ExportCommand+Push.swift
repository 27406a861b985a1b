import ArgumentParser
import Bytes
import ImageTransport
import LayerFSKit
import Trees

extension ExportCommand {
    /// Becomes `layerfs push` when the place is a registry; returns otherwise.
    ///
    /// - Throws: a validation error for options that it does not have.
    func pushIfAsked() throws {
        guard let place, try ImageLocation(parsing: ByteString(argument: place))?.transport == .docker else { return }
        guard compression.compressionLevel == nil, maxLayers == nil, !estargz, name == nil else {
            throw ValidationError(
                "--compression-level, --max-layers, --estargz and --name are not for registries: export oci:DIR:TAG with them, "
                    + "then `layerfs push oci:DIR:TAG \(place)`.")
        }
        var arguments = [expression.description, place, "--layers", layers.rawValue]
        if let compression = compression.compression { arguments += ["--compression", compression.rawValue] }
        if let store = storeOptions.store { arguments += ["--store", store] }
        if let wait = storeOptions.wait { arguments += ["--wait", "\(wait)"] }
        if outputOptions.quiet { arguments.append("--quiet") }
        if outputOptions.verbose { arguments.append("--verbose") }
        if jsonOption.json { arguments.append("--json") }
        try RegistryProgram.become(verb: "push", arguments)
    }
}
