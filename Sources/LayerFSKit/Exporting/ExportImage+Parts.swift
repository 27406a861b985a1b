import ImageTransport
import LayerStore
import Trees

extension ExportImage {
    /// An image that is to be written.
    struct Part {
        var selection: Selection
        var composition: Composition
        var image: ImageDescription
    }

    /// What an expression stands for: an image, or those of an index.
    struct Parts {
        var images: [Part]
        /// Of the index; nil where there is none.
        var annotations: [String: String]?

        var content: ExportContent {
            guard let annotations else { return .image(images[0].image) }
            return .index(images.map(\.image), annotations: annotations)
        }
    }

    /// Archives for Docker hold one image: of an index that for this machine.
    func parts(
        of expression: RootExpression, to target: Target, _ options: Options, _ packing: LayerPacking
    ) throws -> Parts {
        func part(_ selection: Selection) throws -> Part {
            let selection = selection.withoutRepetitions
            let trees = try workspace.trees(of: selection)
            let composition = try workspace.compose(selection, of: trees)
            return Part(
                selection: selection, composition: composition,
                image: try describe(selection, trees, composition, options, packing))
        }
        if let name = expression.singleName, let found = try workspace.store.lookUp(name), found.kind == .image {
            let record = try workspace.store.imageRecord(found.record)
            if case .dockerArchive = target {
            } else if let members = record.members {
                return Parts(
                    images: try members.map { try part(workspace.select($0, as: expression)) },
                    annotations: record.annotations ?? [:])
            }
        }
        return Parts(images: [try part(workspace.select(expression))])
    }

    var plainExporter: ImageExporter {
        var exporter = ImageExporter(contents: workspace.store.blobs)
        exporter.packing = LayerPacking(sourceDateEpoch: workspace.sourceDateEpoch?.seconds)
        if let directory = workspace.store.cacheDirectory(LayerCache.directoryName) {
            exporter.cache = LayerCache(directory)
        }
        exporter.isSound = { try isSound($0) }
        return exporter
    }
}
