import Bytes
import ImageTransport
import LayerFSCommands
import LayerFSKit
import OCI
import Posix
import Registry
import Trees

/// Brings an image from a registry into the store: into a layout of its own, and from there as every import.
struct PullToStore: Sendable {
    let pull: PullToLayout
    var options = ImportOptions()
    /// Where the layout lies meanwhile.
    var scratchDirectory: ByteString = "/var/tmp"

    /// An image that was fetched and not yet imported. The scratch directory lives as long as it.
    struct Fetched: Sendable {
        let summary: TransferSummary
        fileprivate let scratch: ScratchDirectory
    }

    /// - Throws: ``RegistryError``, `SystemError`, `CancellationError`.
    func fetch(_ observer: some TransferObserver) async throws -> Fetched {
        let scratch = try ScratchDirectory(in: scratchDirectory)
        return Fetched(summary: try await pull.run(scratch.layout, observer), scratch: scratch)
    }

    /// Hands what was fetched to the import, which verifies all of it and names it.
    ///
    /// - Parameter workspace: opened with `Store.Access.adding`.
    /// - Throws: what `ImportImages` throws.
    func hand(
        _ fetched: Fetched, to workspace: Workspace, progress: ProgressMeter
    ) throws -> [ImportSummary] {
        var options = options
        options.name = try options.name ?? Self.usualName(pull.place)
        switch pull.choice {
        case .platform(let platform): options.platforms = .only(platform)
        case .all: options.platforms = .all
        }
        return try ImportImages(workspace).run(
            ImageSource(directory: fetched.scratch.layout), named: "\(fetched.summary.manifest.digest)", options,
            progress: progress)
    }

    /// The image's name without the registry: what `push` was most likely given.
    static func usualName(_ place: RegistryPlace) throws(NameError) -> Name {
        var repository = place.repository
        if place.host == "docker.io", repository.hasPrefix("library/") { repository.removeFirst("library/".count) }
        return try Name(repository + (place.reference.tag.map { ":" + $0 } ?? ""))
    }
}
