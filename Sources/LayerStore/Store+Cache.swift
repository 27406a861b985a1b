public import Bytes
import Posix
import SystemPackage

/// Documents that cost time to make again, and nothing else when they are lost (docs/store-format.md).
extension Store {
    /// The document `name` of the cache; nil when there is none that can be read. Nothing vouches for it: whoever asks, checks.
    ///
    /// - Parameter limit: the most bytes that it may have.
    public func cached(_ name: ByteString, limit: Int) -> [UInt8]? {
        try? directory.root.open("cache", [.readOnly, .directory])
            .open(name, [.readOnly, .noFollow, .nonBlocking]).readAll(limit: limit)
    }

    /// Keeps a document in the cache, whole or not at all, where the store can be written; that it cannot is no harm.
    ///
    /// - Parameter name: beginning with the digits of a digest, without which being reached `gc` removes the document.
    public func cache(_ bytes: [UInt8], as name: ByteString) {
        guard directory.readOnlyReason == nil, (try? directory.root.networkFileSystem()) == .some(nil) else { return }
        try? write(bytes, as: name)
    }

    private func write(_ bytes: [UInt8], as name: ByteString) throws(SystemError) {
        let cache = try directory.root.open("cache", [.readOnly, .directory])
        let temporary = name + ByteString(".\(String(UInt64.random(in: 0 ... .max), radix: 36))")
        let file = try cache.open(temporary, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644)
        do throws(SystemError) {
            try file.writeAll(bytes)
            // What a crash leaves without its bytes is not believed, so that nothing is flushed here.
            try cache.rename(temporary, to: name, in: cache, replacing: true)
        } catch {
            try? cache.removeFile(temporary)
            throw error
        }
    }
}
