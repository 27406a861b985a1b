import Bytes
import LayerStore
import Loader

extension LayerPlan {
    /// The libraries that its programs found only through the ld.so.cache of their root; nil when there are none.
    var cachedLibraries: [CachedLibrary]? {
        let libraries = Set(closures.flatMap(\.librariesFoundByCacheOnly)).map(CachedLibrary.init)
        return libraries.isEmpty ? nil : libraries.sorted { ($0.name, $0.path) < ($1.name, $1.path) }
    }
}

extension CachedLibrary {
    init(_ library: LdCacheLibrary) {
        self.init(
            name: library.name, path: library.path, flags: library.flags, capability: library.capability,
            isBigEndian: library.order == .big ? true : nil)
    }
}

extension LdCacheLibrary {
    init(_ library: CachedLibrary) {
        self.init(
            name: library.name, path: library.path, flags: library.flags, capability: library.capability,
            order: library.isBigEndian == true ? .big : .little)
    }
}
