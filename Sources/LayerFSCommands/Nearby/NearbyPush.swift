package import LayerFSKit
import LayerStore
import Posix
import RegistryProtocol
import Trees

/// `layerfs push` of a root of which it is noted what an export of it is, to a registry on this machine that has all of that.
struct NearbyPush: NearbyVerb {
    let source: String
    let target: NearbyPlace
    let exportOptions: ExportImage.Options
    let storeOptions: StoreOptions
    let outputOptions: OutputOptions
    let jsonOption: JSONOption
    private let root: RootExpression

    init(plain arguments: [String]) throws {
        let plain = try PlainArguments(
            arguments, flags: OutputOptions.plainFlags + JSONOption.plainFlags,
            options: ["--layers"] + CompressionOptions.plainOptions + NearbyPlace.plainOptions
                + StoreOptions.plainOptions + OutputOptions.plainOptions)
        outputOptions = try OutputOptions(plain: plain)
        // Each request is to be told of then.
        guard plain.operands.count == 2, !outputOptions.verbose else { throw PlainArguments.Unfamiliar() }
        source = plain.operands[0]
        if source.hasPrefix(PushOperand.layoutPrefix) { throw PlainArguments.Unfamiliar() }
        root = try RootExpression(source)
        target = try NearbyPlace(plain.operands[1], plain)
        let compression = try CompressionOptions(plain: plain)
        exportOptions = ExportImage.Options(
            pushing: try plain.value("--layers", as: ExportImage.LayerForm.init(rawValue:)) ?? .diff, compression)
        storeOptions = try StoreOptions(plain: plain)
        jsonOption = try JSONOption(plain: plain)
    }

    /// Without composing anything. Nothing leaves the store then, so nothing of it is looked at.
    ///
    /// - Throws: what opening the store throws, ``RegistryProgram/Missing``, `SystemError`.
    func find() throws -> TransferSummary? {
        // The one that makes what is pushed, and notes what it was.
        let program = try RegistryProgram.find(beside: CurrentProcess.executable())
        let (registry, name, repository) = (target.registry, target.place.manifestName, target.place.repository)
        // Asked while the store is looked at.
        let answer = Background(WorkerPool(workers: 2)) { registry.wholeImage(name, in: repository) }
        guard
            let noted = try ExportImage(storeOptions.workspace(.reading)).notedManifest(
                root, exportOptions, by: program), let found = try answer.value(), found.bytes == noted
        else { return nil }
        return TransferSummary(present: found)
    }

    func say(_ summary: TransferSummary) throws {
        try TransferText.sayPushed(
            source, target.place, summary, packed: 0, to: outputOptions.console, asJSON: jsonOption.json)
    }
}

/// What is pushed, as it is written.
package enum PushOperand {
    /// That of the place of an image layout: `oci:DIR[:REF]`. Whatever does not begin with it is an expression.
    package static let layoutPrefix = "oci:"
}

extension ExportImage.Options {
    /// Those of a push that has no others.
    package init(pushing form: ExportImage.LayerForm, _ compression: CompressionOptions) {
        self.init()
        self.form = form
        (self.compression, compressionLevel) = (compression.compression, compression.compressionLevel)
        scratchDirectory = Environment.current.temporaryDirectory
    }
}
