package import LayerFSKit
import LayerStore
package import OCI
import Posix
package import RegistryProtocol
package import Trees

/// `layerfs pull` of an image that the store has under the name, from a registry on this machine.
struct NearbyPull: NearbyVerb {
    let source: NearbyPlace
    let name: Name
    let platform: Platform
    let storeOptions: StoreOptions
    let outputOptions: OutputOptions
    let jsonOption: JSONOption

    init(plain arguments: [String]) throws {
        let plain = try PlainArguments(
            arguments, flags: ["--replace"] + OutputOptions.plainFlags + JSONOption.plainFlags,
            options: ["-t", "--tag", "--platform"] + NearbyPlace.plainOptions + StoreOptions.plainOptions
                + OutputOptions.plainOptions)
        outputOptions = try OutputOptions(plain: plain)
        // Each request is to be told of then.
        if outputOptions.verbose { throw PlainArguments.Unfamiliar() }
        // Where there is nothing to do, it makes no difference.
        _ = try plain.has("--replace")
        source = try NearbyPlace(plain.operand(), plain)
        name = try plain.value("-t", "--tag", as: Name.init) ?? source.place.usualName
        platform =
            try plain.value("--platform") { try Platform(parsing: $0) } ?? HostPlatform.platform
        storeOptions = try StoreOptions(plain: plain)
        jsonOption = try JSONOption(plain: plain)
    }

    /// - Throws: `LayerStoreError.busy`, `Interruption`. Whatever else is wrong with the store, is said by whoever needs more of it.
    func find() throws -> (fetched: TransferSummary, standing: ImportSummary)? {
        let (registry, reference, repository) = (source.registry, source.place.manifestName, source.place.repository)
        // Asked while the store is looked at.
        let answer = Background(WorkerPool(workers: 2)) { registry.manifest(reference, in: repository) }
        guard let image = try standing(), let top = try answer.value(), image.isPulled(by: top, for: platform)
        else { return nil }
        return (TransferSummary(known: top), image.summary)
    }

    private func standing() throws -> StandingImage? {
        do {
            return try storeOptions.existingWorkspace().flatMap { try StandingImage(name, in: $0) }
        } catch {
            if case LayerStoreError.busy = error { throw error }
            if error is Interruption { throw error }
            return nil
        }
    }

    func say(_ finding: (fetched: TransferSummary, standing: ImportSummary)) throws {
        try TransferText.sayFetched(
            source.place, finding.fetched, [finding.standing], to: outputOptions.console, asJSON: jsonOption.json)
    }
}

extension StandingImage {
    /// Whether a pull of `top` for `platform` would leave this image as it is.
    package func isPulled(by top: RemoteManifest, for wanted: Platform) -> Bool {
        manifestBytes == top.bytes && wanted.accepts(platform)
    }
}

extension RegistryPlace {
    /// The image's name without the registry: what `push` was most likely given.
    ///
    /// - Throws: `NameError`.
    package var usualName: Name {
        get throws {
            var name = repository
            if host == "docker.io", name.hasPrefix("library/") { name.removeFirst("library/".count) }
            return try Name(name + (reference.tag.map { ":" + $0 } ?? ""))
        }
    }
}
