public import Bytes
public import ImageTransport
public import LayerStore
import OCI
public import Trees

/// Makes one index of images for several platforms (image-spec, image-index.md), under a name of its own.
///
/// The index pins its images: it stays what it is when their names stand for something else, or for nothing.
public struct CreateIndex: Sendable {
    private let workspace: Workspace
    private let scratch: ByteString

    /// - Parameters:
    ///   - workspace: opened with `Store.Access.adding`.
    ///   - scratch: where an archive that is compressed is laid out.
    public init(_ workspace: Workspace, scratch: ByteString) {
        (self.workspace, self.scratch) = (workspace, scratch)
    }

    /// What goes into an index.
    public enum Source: Hashable, Sendable {
        /// An image of the store, or an index: its images.
        case name(Name)
        /// Images that are imported first, of all platforms.
        case place(ImageLocation)

        /// - Parameter text: a name, or a place as `oci:DIR[:REF]`.
        /// - Throws: `TransportError`, `NameError`.
        public init(_ text: String) throws {
            if let place = try ImageLocation(parsing: ByteString(text)) {
                guard place.transport != .docker else {
                    throw TransportError.malformedLocation(
                        ByteString(text), reason: "`layerfs pull` takes images from registries")
                }
                self = .place(place)
            } else {
                self = .name(try Name(text))
            }
        }
    }

    /// What was made.
    public struct Result: Sendable {
        public var name: Name
        public var outcome: CommitOutcome
        /// Of the images, in their order.
        public var platforms: [String]
        /// What was imported for it.
        public var imported: [ImportSummary]
    }

    /// Makes `name` stand for an index of `sources`.
    ///
    /// - Throws: ``LayerFSError/repeatedPlatform(_:images:)``, ``LayerFSError/notAnImage(_:)``,
    ///   ``LayerFSError/noSuchName(_:near:)``, ``LayerStoreError/nameTaken(_:detail:)``, what an import throws.
    public func run(
        _ sources: [Source], as name: Name, annotations: [String: String], replacing: Bool = false,
        progress: ProgressMeter = .none
    ) throws -> Result {
        var imported: [ImportSummary] = []
        var members: [(name: Name, image: ImageRecord)] = []
        for source in sources {
            switch source {
            case .name(let name): members += try images(name).map { (name, $0) }
            case .place(let place):
                var options = ImportOptions()
                options.platforms = .all
                let found = try ImportImages(workspace).run(place, options, scratch: scratch, progress: progress)
                for summary in found { members += try images(summary.name).map { (summary.name, $0) } }
                imported += found
            }
        }
        let platforms = try check(members)
        let session = try workspace.store.beginAdding()
        let record = ImageRecord(
            indexing: members.map(\.image), annotations: annotations, created: workspace.now,
            expression: members.map(\.name.text).joined(separator: " "))
        let outcome = try session.commit(image: name, record, replacing: replacing)
        return Result(name: name, outcome: outcome, platforms: platforms, imported: imported)
    }

    /// The images that `name` stands for, each with its platform.
    private func images(_ name: Name) throws -> [ImageRecord] {
        guard let found = try workspace.store.lookUp(name) else {
            throw LayerFSError.noSuchName(name, near: try workspace.store.near(name))
        }
        guard found.kind == .image else { throw LayerFSError.notAnImage(name) }
        var image = try workspace.store.imageRecord(found.record)
        if let members = image.members { return members }
        let selection = try workspace.select(image, as: RootExpression(name.text))
        image.settings.platform = try ImageDefaults(workspace, selection).platform.description
        return [image]
    }

    /// That no two images are for one platform; what they are for.
    private func check(_ members: [(name: Name, image: ImageRecord)]) throws -> [String] {
        var names: [String: [String]] = [:]
        let platforms = members.map { $0.image.settings.platform ?? "" }
        for (member, platform) in zip(members, platforms) {
            // v8 is what arm64 has without a variant (image-index.md, Platform Variants).
            let key = platform == "linux/arm64/v8" ? "linux/arm64" : platform
            names[key, default: []].append(member.name.text)
        }
        for platform in platforms {
            guard let repeated = names[platform], repeated.count > 1 else { continue }
            throw LayerFSError.repeatedPlatform(platform, images: repeated)
        }
        return platforms
    }
}
