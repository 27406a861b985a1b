public import Digests
import GRDB
import Posix
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
    /// What is known of those of `states` that were met before.
    public func known(
        _ states: [SourceFingerprint]
    ) throws(LayerStoreError) -> [SourceFingerprint: KnownContent] {
        guard let index = store.writableIndex else { return [:] }
        let known = try Self.known(states, in: index)
        // They will be asked for one by one: whether the store has them still, and unchanged.
        store.tamperGuard.prepare(Set(known.values.lazy.map(\.digest)))
        return known
    }

    static func known(
        _ states: [SourceFingerprint], in index: LayerIndex
    ) throws(LayerStoreError) -> [SourceFingerprint: KnownContent] {
        try index.read("read") { database in
            let statement = try BulkStatement(
                """
                SELECT digest, attributes FROM known_files WHERE device = ? AND inode = ? AND size = ?
                AND modified_seconds = ? AND modified_nanoseconds = ? AND changed_seconds = ? AND changed_nanoseconds = ?
                """, database)
            var result: [SourceFingerprint: KnownContent] = [:]
            for state in states {
                state.bind(to: statement)
                guard try statement.step() else { continue }
                if let digest = statement.digest(0) {
                    result[state] = KnownContent(digest: digest, hasAttributes: statement.integer(1) != 0)
                }
                statement.reset()
            }
            return result
        }
    }

    /// Remembers the states of `files` that are old enough to be told apart from a later change.
    static func remember(_ files: [SourceFile], _ database: Database) throws {
        if files.isEmpty { return }
        let statement = try BulkStatement(
            "INSERT OR REPLACE INTO known_files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", database)
        let fresh = files.indices.filter { !files[$0].wasKnown && files[$0].fingerprint.isSettled(at: files[$0].begun) }
        // In the order of the table.
        for index in fresh.sorted(by: { files[$0].inode < files[$1].inode }) {
            let file = files[index]
            file.fingerprint.bind(to: statement)
            statement.bind(8, file.digest)
            statement.bind(9, file.metadata.extendedAttributes.isEmpty ? 0 : 1)
            try statement.run()
        }
    }
}

extension SourceFile {
    fileprivate var inode: UInt64 { fingerprint.identity.inode }
}

extension SourceFingerprint {
    /// Sets the first seven parameters, in the order of the table's columns. Device and inode are 64-bit patterns; SQLite's
    /// integers have a sign.
    fileprivate func bind(to statement: BulkStatement) {
        statement.bind(1, Int64(bitPattern: identity.device))
        statement.bind(2, Int64(bitPattern: identity.inode))
        statement.bind(3, Int64(clamping: size))
        statement.bind(4, modified.seconds)
        statement.bind(5, Int64(modified.nanoseconds))
        statement.bind(6, changed.seconds)
        statement.bind(7, Int64(changed.nanoseconds))
    }
}
