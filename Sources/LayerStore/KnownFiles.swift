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
        let known = try Self.known(states, in: index)
        // They will be asked for one by one: whether the store has them still, and unchanged.
        store.tamperGuard.prepare(known.lazy.compactMap { $0?.digest })
        return known
    }

    static func known(
        _ states: [SourceFingerprint], in index: LayerIndex
    ) throws(LayerStoreError) -> [KnownContent?] {
        try index.read("read") { database in
            let statement = try BulkStatement(
                """
                SELECT digest, attributes, inode, size, modified_seconds, modified_nanoseconds, changed_seconds,
                changed_nanoseconds FROM known_files WHERE device = ? AND inode >= ? ORDER BY inode
                """, database)
            var result = [KnownContent?](repeating: nil, count: states.count)
            // Along the table, as long as most of its rows are wanted.
            let sorted = states.indices.sorted { states[$0].key < states[$1].key }
            var position = 0
            while position < sorted.count {
                let device = states[sorted[position]].key.device
                statement.bind(1, device)
                statement.bind(2, states[sorted[position]].key.inode)
                var passed = 0
                while position < sorted.count, states[sorted[position]].key.device == device,
                    passed <= BulkStatement.patience
                {
                    guard try statement.step(), let inode = statement.integer(2) else {
                        // That was the last one of this device.
                        position =
                            sorted[position...].firstIndex { states[$0].key.device != device } ?? sorted.count
                        break
                    }
                    passed += 1
                    while position < sorted.count, states[sorted[position]].key <= (device, inode) {
                        // One file may be there by several names.
                        let state = states[sorted[position]]
                        if state.isAt(statement, from: 2), let digest = statement.digest(0) {
                            result[sorted[position]] = KnownContent(
                                digest: digest, hasAttributes: statement.integer(1) != 0)
                            passed = 0
                        }
                        position += 1
                    }
                }
                statement.reset()
            }
            return result
        }
    }

    /// Notes that `files` were taken, to be known again by their states; publishes what waits, when that is much.
    ///
    /// Names of layers come later: until then a crash leaves contents that nothing names, and files that are known again.
    public func took(_ files: [SourceFile]) throws(LayerStoreError) {
        let count = unremembered.withLock { unremembered in
            unremembered += files.lazy.filter { !$0.wasKnown }
            return unremembered.count
        }
        guard max(count, pending.withLock { $0.count }) >= batchSize else { return }
        try publish()
        try store.whileCommitting { () throws(LayerStoreError) in
            let (files, inodes) = (takeUnremembered(), store.tamperGuard.takeUnrecorded())
            // Without an index these contents are read once more, and these files.
            try? store.writableIndex?.write("update") { database in
                try InodeFingerprint.record(inodes, database)
                try Self.remember(files, database)
            }
        }
        store.tamperGuard.forget()
    }

    /// Remembers the files that were taken and whose states were not known, where no commit does: a file that only got another hard link
    /// would be read each time.
    public func rememberTaken() throws(LayerStoreError) {
        let files = takeUnremembered().filter { $0.fingerprint.isSettled(at: $0.begun) }
        if files.isEmpty { return }
        try store.whileCommitting { () throws(LayerStoreError) in
            // Without an index they are read once more.
            try? store.writableIndex?.write("update") { try Self.remember(files, $0) }
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
    /// By what the table is ordered. Device and inode are 64-bit patterns; SQLite's integers have a sign.
    fileprivate var key: (device: Int64, inode: Int64) {
        (Int64(bitPattern: identity.device), Int64(bitPattern: identity.inode))
    }

    /// Sets the first seven parameters, in the order of the table's columns.
    fileprivate func bind(to statement: BulkStatement) {
        statement.bind(1, key.device)
        statement.bind(2, key.inode)
        statement.bind(3, Int64(clamping: size))
        statement.bind(4, modified.seconds)
        statement.bind(5, Int64(modified.nanoseconds))
        statement.bind(6, changed.seconds)
        statement.bind(7, Int64(changed.nanoseconds))
    }

    /// Whether the row that `statement` is at, of this device, has the rest of it from the column `first` on.
    fileprivate func isAt(_ statement: BulkStatement, from first: Int32) -> Bool {
        statement.integer(first) == key.inode && statement.integer(first + 1) == Int64(clamping: size)
            && statement.integer(first + 2) == modified.seconds
            && statement.integer(first + 3) == Int64(modified.nanoseconds)
            && statement.integer(first + 4) == changed.seconds
            && statement.integer(first + 5) == Int64(changed.nanoseconds)
    }
}
