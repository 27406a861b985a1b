import Bytes
import Digests
import Posix
import Synchronization
import SystemPackage

/// Which directories of contents a store lacked when that was first asked. What would lie in them need not be looked for: in a new store
/// that is every content.
///
/// Another command may make such a directory meanwhile. That is as if it had stored its contents right after they were looked for, which it
/// can at any time: whoever gives a content its name finds what is there.
final class AbsentShards: Sendable {
    private let store: StoreDirectory
    /// By the first byte of the digests in them; nil until it is asked for.
    private let absent = Mutex<[Bool]?>(nil)

    init(_ store: StoreDirectory) { self.store = store }

    /// Whether the directory of contents whose digests begin with `first` was absent.
    func contains(_ first: UInt8) throws(SystemError) -> Bool {
        try absent.withLock { (absent) throws(SystemError) in
            if let absent { return absent[Int(first)] }
            var found = [Bool](repeating: true, count: 256)
            for entry in try store.blobs.names() {
                // Whatever may be one is looked into.
                if let first = UInt8(String(decoding: entry.name.bytes, as: UTF8.self), radix: 16) {
                    found[Int(first)] = false
                }
            }
            absent = found
            return found[Int(first)]
        }
    }

    /// Says that there will be contents whose digests begin with these bytes.
    func fill(_ shards: some Sequence<UInt8>) {
        absent.withLock { absent in
            if absent == nil { return }
            for first in shards { absent?[Int(first)] = false }
        }
    }
}
