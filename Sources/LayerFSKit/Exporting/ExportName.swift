import OCI
import Trees

/// The name of an exported image, made from an expression or given by a person.
struct ExportName {
    /// As registries and Docker know it.
    private(set) var image: Reference
    /// As the index of a layout has it; nil for the tag of ``image``.
    private(set) var referenceName: String?

    /// The name for an export of `expression` to `target`.
    ///
    /// A reference behind a path is what tools of a layout look for, letter by letter, and most often a tag; where it has
    /// more than a tag in it, it is the image's name as well. Behind a Docker archive it is the name.
    ///
    /// - Throws: ``LayerFSError/unsuitableImageName(_:)``.
    init(
        _ options: ExportImage.Options, _ expression: RootExpression, for target: ExportImage.Target
    ) throws(LayerFSError) {
        try self.init(options.name ?? expression.description)
        guard let reference = options.reference else { return }
        if case .dockerArchive = target {
            guard options.name == nil || options.name == reference else {
                throw .malformedOption(
                    name: "--name", value: options.name ?? "",
                    expected: "one name, here or after the path of the archive")
            }
            try self.init(reference)
            return
        }
        guard Reference.isReferenceName(reference) else { throw .unsuitableImageName(reference) }
        if options.name == nil {
            if Reference.isTag(reference) {
                image.tag = reference
            } else {
                try self.init(reference)
            }
        }
        referenceName = reference
    }

    /// - Throws: ``LayerFSError/unsuitableImageName(_:)`` when nothing that engines take as a name can be made of `text`.
    init(_ text: String) throws(LayerFSError) {
        // Engines know neither `+` nor capitals in a repository; a tag may have capitals.
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let isPort = parts.count == 2 && parts[1].contains("/")
        let repository = isPort ? text[...] : parts[0]
        let tag = isPort || parts.count == 1 ? "" : ":" + parts[1]
        guard let image = try? Reference(parsing: repository.lowercased().replacing("+", with: "-") + tag) else {
            throw .unsuitableImageName(text)
        }
        self.image = image
    }
}
