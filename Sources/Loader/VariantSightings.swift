import Bytes

/// Variants of libraries for newer processors that a search for the oldest one passed by: the reason to search once
/// more for each of those processors.
final class VariantSightings {
    /// By the library's name, in the order met.
    private(set) var paths: [ByteString: [ByteString]] = [:]

    func add(_ variants: [ByteString], of name: ByteString) {
        if !variants.isEmpty { paths[name, default: []] += variants }
    }

    func look(for name: ByteString, in directory: ByteString, _ environment: LoaderEnvironment) {
        for subdirectory in environment.variantSubdirectories(of: directory) {
            let path = directory + subdirectory + name
            if (try? environment.catalog.root.resolve(path)) != nil { paths[name, default: []].append(path) }
        }
    }

    func lookInCache(for name: ByteString, _ environment: LoaderEnvironment) {
        guard let cache = environment.cache, !cache.hardwareCapabilities.isEmpty else { return }
        for entry in cache.entries(named: name) where entry.capabilityIndex != nil {
            if (try? environment.catalog.root.resolve(entry.path)) != nil {
                paths[name, default: []].append(entry.path)
            }
        }
    }
}
