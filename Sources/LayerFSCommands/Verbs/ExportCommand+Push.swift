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
        guard name == nil else {
            throw ValidationError("--name is not for registries: the place names the image.")
        }
        var arguments = [expression.description, place, "--layers", layers.rawValue]
        if let compression = compression.compression { arguments += ["--compression", compression.rawValue] }
        if let level = compression.compressionLevel { arguments += ["--compression-level", "\(level)"] }
        if let maxLayers { arguments += ["--max-layers", "\(maxLayers)"] }
        if estargz { arguments.append("--estargz") }
        if recompress { arguments.append("--recompress") }
        arguments += storeOptions.store.flatMap { ["--store", $0] }
        if let wait = storeOptions.wait { arguments += ["--wait", "\(wait)"] }
        if outputOptions.quiet { arguments.append("--quiet") }
        if outputOptions.verbose { arguments.append("--verbose") }
        if jsonOption.json { arguments.append("--json") }
        try RegistryProgram.become(verb: "push", arguments)
    }
}
