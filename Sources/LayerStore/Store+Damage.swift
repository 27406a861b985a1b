import Bytes
import Digests

extension Store {
    /// Remembers the inodes of contents that were replaced.
    func recordInodes() throws(LayerStoreError) {
        try whileCommitting { () throws(LayerStoreError) in try recordInodesLocked() }
    }

    /// The same for who holds the commit lock.
    func recordInodesLocked() throws(LayerStoreError) {
        let inodes = tamperGuard.takeUnrecorded()
        if inodes.isEmpty { return }
        try writableIndex?.write("update") { try InodeFingerprint.record(inodes, ContentRows($0)) }
    }

    /// Runs `body`; when it meets a damaged content, the error says which layers, images and files have it.
    public func namingDamage<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch LayerStoreError.damagedBlob(let digest, let place, let found) {
            var damages = [IntegrityReport.Damage(kind: .damaged, digest: digest, detail: found)]
            let prefix = path + "/"
            if place.hasPrefix(prefix) {
                damages[0].place = ByteString(place.bytes.dropFirst(prefix.count)).description
            }
            // That the names cannot be found out must not hide the damage.
            (try? StoreGraph(of: self))?.attribute(&damages)
            throw LayerStoreError.damage(damages[0])
        }
    }
}
