import Bytes

/// Libraries found in the cache or the system directories on one kind of processor, for all programs of a resolution.
final class DefaultHits {
    struct Known {
        let hit: LibrarySearch.Hit
        /// The variants for other processors that were seen on the way.
        let variants: [ByteString]
    }

    var hits: [ByteString: Known] = [:]
}
