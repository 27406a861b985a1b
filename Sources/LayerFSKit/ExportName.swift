import OCI

/// The name of an exported image, made from an expression or given by a person.
struct ExportName {
    let image: Reference

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
