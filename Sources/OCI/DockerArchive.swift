/// One image of the `manifest.json` that `docker save` writes and `docker load` reads (docker-image-spec v1.3, Combined
/// Image JSON + Filesystem Changeset Format). All paths are relative to the archive.
public struct DockerArchiveImage: Hashable, Sendable {
    /// Where the image's configuration is.
    public var config: String
    /// Names to load the image under: `shell:latest`.
    public var repositoryTags: [String]
    /// Where the layers are, the lowest first.
    public var layers: [String]

    public init(config: String, repositoryTags: [String], layers: [String]) {
        self.config = config
        self.repositoryTags = repositoryTags
        self.layers = layers
    }

    /// The images of a `manifest.json`.
    ///
    /// - Throws: ``OCIError``.
    public static func parse(_ bytes: [UInt8]) throws(OCIError) -> [DockerArchiveImage] {
        var images: [DockerArchiveImage] = []
        for element in try JSONField(JSONValue(parsing: bytes), path: "").elements() {
            images.append(
                DockerArchiveImage(
                    config: try element.required("Config").string(),
                    repositoryTags: try element.optional("RepoTags")?.strings() ?? [],
                    layers: try element.required("Layers").strings()))
        }
        return images
    }

    /// The `manifest.json` of `images`.
    public static func canonicalBytes(of images: [DockerArchiveImage]) -> [UInt8] {
        JSONValue.array(
            images.map { image in
                .object([
                    "Config": .string(image.config), "RepoTags": .strings(image.repositoryTags),
                    "Layers": .strings(image.layers),
                ])
            }
        ).canonicalBytes
    }
}
