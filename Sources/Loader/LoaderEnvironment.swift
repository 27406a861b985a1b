import Bytes
import ELF
import Posix

/// What is the same for all programs of one machine and loader: constants, cache, what was found in which directory.
final class LoaderEnvironment {
    let catalog: FileCatalog
    let machine: TargetMachine
    let constants: LoaderConstants
    /// Nil when the root has none, or none that ld.so would use.
    let cache: LoaderCache?
    let cacheError: LoaderCacheError?
    let cacheFlags: Int32?
    let unspecificCacheFlags: Int32
    let systemDirectories: [SearchDirectory]
    /// What the root's /etc/ld.so.preload lists.
    let preloads: [ByteString]
    private var existing: [SubdirectoryKey: [ByteString]] = [:]

    private struct SubdirectoryKey: Hashable {
        let directory: ByteString
        let profile: CapabilityProfile
    }

    init(_ catalog: FileCatalog, header: ELFHeader, loader: ResolvedPath?) {
        self.catalog = catalog
        machine = TargetMachine(header: header)
        if let loader, let bytes = try? catalog.bytes(of: loader, limit: Self.maximumLoaderSize) {
            constants = LoaderConstants(loader: bytes, header: header)
        } else {
            constants = LoaderConstants(defaultsFor: header)
        }
        let defaults = MachineDefaults(header)
        (cacheFlags, unspecificCacheFlags) = (defaults.cacheFlags, defaults.unspecificCacheFlags)
        systemDirectories = constants.systemDirectories.map {
            SearchDirectory(path: $0, place: .systemDirectory($0))
        }
        preloads = Self.readPreloads(catalog)
        (cache, cacheError) = Self.readCache(catalog, order: header.byteOrder)
    }

    static let cachePath: ByteString = "/etc/ld.so.cache"

    /// Loaders are some hundred KB; caches of machines with very many libraries some MB.
    private static let maximumLoaderSize = 16 << 20
    private static let maximumCacheSize = 64 << 20

    private static func readPreloads(_ catalog: FileCatalog) -> [ByteString] {
        guard let file = try? catalog.root.resolve("/etc/ld.so.preload"), file.status.kind == .regular,
            let bytes = try? catalog.bytes(of: file, limit: 1 << 20)
        else { return [] }
        return PreloadFile(bytes).libraries
    }

    private static func readCache(
        _ catalog: FileCatalog, order: ByteOrder
    ) -> (LoaderCache?, LoaderCacheError?) {
        guard let file = try? catalog.root.resolve(cachePath), file.status.kind == .regular,
            let bytes = try? catalog.bytes(of: file, limit: maximumCacheSize)
        else { return (nil, nil) }
        do { return (try LoaderCache(bytes, order: order), nil) } catch { return (nil, error) }
    }

    private var legacy: LegacySubdirectories { LegacySubdirectories(machine.header) }

    private(set) lazy var baseline = CapabilityProfile.baseline(constants, legacy)

    private(set) lazy var variants = CapabilityProfile.variants(constants, legacy)

    /// The profile of a processor with the levels `names`.
    func profile(_ names: [ByteString]) -> CapabilityProfile { CapabilityProfile.exactly(names, constants, legacy) }

    private lazy var everyVariant = CapabilityProfile(union: variants, without: baseline)

    /// The subdirectories of `directory` that some processor's loader searches and the oldest one's does not.
    func variantSubdirectories(of directory: ByteString) -> [ByteString] {
        subdirectories(of: directory, everyVariant)
    }

    /// The subdirectories of `profile` that `directory` has; the directory itself is left out.
    func subdirectories(of directory: ByteString, _ profile: CapabilityProfile) -> [ByteString] {
        let key = SubdirectoryKey(directory: directory, profile: profile)
        if let known = existing[key] { return known }
        let found = profile.subdirectories.filter { catalog.root.isDirectory(directory + $0) }
        existing[key] = found
        return found
    }
}
