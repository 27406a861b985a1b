public import Digests
import GRDB
import Posix
import Synchronization
import Trees

/// What the stat cache knows of one state of a host file.
public struct KnownContent: Hashable, Sendable {
    public var digest: Digest
    /// Whether it may have attributes that images carry: only then must the file be opened.
    public var hasAttributes: Bool

    public init(digest: Digest, hasAttributes: Bool) {
        (self.digest, self.hasAttributes) = (digest, hasAttributes)
    }
}

/// The stat cache: states of host files whose content was hashed before, as in git's index.
extension StoreSession {
    /// What is known of each of `states`; nil of those that were not met before.
    public func known(_ states: [SourceFingerprint]) throws(LayerStoreError) -> [KnownContent?] {
        guard let index = store.writableIndex else { return [KnownContent?](repeating: nil, count: states.count) }
        let found = try KnownFileSearch(states, in: index)
        // They will be asked for one by one: whether the store has them still, and unchanged.
        store.tamperGuard.use(found.contents)
        return found.known
    }

    /// Notes that `files` were taken, to be known again by their states; begins to publish what waits, when that is much.
    ///
    /// Names of layers come later: until then a crash leaves contents that nothing names, and files that are known again.
    public func took(_ files: [SourceFile]) throws(LayerStoreError) {
        let count = unremembered.withLock { unremembered in
            unremembered += files.lazy.filter { !$0.wasKnown }
            return unremembered.count
        }
        guard max(count, pending.withLock { $0.count }) >= batchSize else { return }
        try beginDeparture(takeUnremembered())
    }

    /// Remembers the files that were taken and whose states were not known, where no commit does: a file that only got another hard link
    /// would be read each time.
    public func rememberTaken() throws(LayerStoreError) {
        try recordDepartures()
        let files = takeUnremembered().filter { $0.fingerprint.isSettled(at: $0.begun) }
        if files.isEmpty { return }
        try store.whileCommitting { () throws(LayerStoreError) in
            // Without an index they are read once more.
            try? store.writableIndex?.write("update") { try Self.remember(files, ContentRows($0), $0) }
        }
    }

    /// The files that were taken, for the last time.
    func takeUnremembered() -> [SourceFile] {
        unremembered.withLock { files in
            defer { files = [] }
            return files
        }
    }

    /// Remembers the states of `files` that are old enough to be told apart from a later change.
    static func remember(_ files: [SourceFile], _ rows: ContentRows, _ database: Database) throws {
        let settled = SourceFile.settled(files)
        if settled.isEmpty { return }
        let known = try KnownFileRows(database)
        for file in settled {
            try known.remember(
                device: file.key.device, inode: file.key.inode, modified: file.fingerprint.modified,
                changed: file.fingerprint.changed, content: rows.row(of: file.digest, size: Int64(clamping: file.size)),
                hasAttributes: !file.metadata.extendedAttributes.isEmpty)
        }
        try known.finish()
    }
}

extension SourceFile {
    /// Those of `files` that are to be remembered, in the order of the table; of one that was taken several times, the last comes last.
    static func settled(_ files: [SourceFile]) -> [SourceFile] {
        files.indices.filter { !files[$0].wasKnown && files[$0].fingerprint.isSettled(at: files[$0].begun) }
            .sorted { (files[$0].key, $0) < (files[$1].key, $1) }.map { files[$0] }
    }

    var key: KnownFileSearch.Key { KnownFileSearch.Key(fingerprint) }
}
