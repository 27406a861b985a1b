import Bytes
import Digests
import GRDB
import Trees

/// A directory of a layer with all that lies directly in it, as the index has it: once for all layers that have the same.
struct IndexedDirectory {
    /// What lies in a directory.
    struct Member {
        var name: [UInt8]
        var kind: String
        var mode: Int64
        var uid: Int64
        var gid: Int64
        /// nil for what has the time of the newest in its layer and is no file: two layers of which one has a newer file then have the same
        /// directories still.
        var modified: Int64?
        /// Of a regular file.
        var content: (digest: Digest, size: Int64)?
        /// Of a link.
        var target: [UInt8]?
    }

    /// Without a slash at its end.
    var path: [UInt8]
    /// In any order that is the same whenever they are the same: that of their names is fastest.
    var members: [Member] = []

    /// Of all that the rows of the directory say.
    var digest: Digest {
        var text: [UInt8] = []
        func append(_ number: Int64) { withUnsafeBytes(of: number.littleEndian) { text.append(contentsOf: $0) } }
        // What has no fixed size begins with its size, so that nothing can pass for something else.
        func append(_ bytes: some Collection<UInt8>) {
            append(Int64(bytes.count))
            text.append(contentsOf: bytes)
        }
        append(path)
        for member in members {
            append(member.name)
            append(member.kind.utf8)
            append(member.mode)
            append(member.uid)
            append(member.gid)
            append(member.modified == nil ? 0 : 1)
            append(member.modified ?? 0)
            if let (digest, size) = member.content {
                digest.withUnsafeBytes { text.append(contentsOf: $0) }
                append(size)
            }
            append(member.target.map { Int64($0.count) } ?? -1)
            if let target = member.target { text.append(contentsOf: target) }
        }
        return Digest(hashing: text)
    }
}

extension IndexedDirectory.Member {
    /// - Parameter newest: the newest time in the layer.
    init(_ entry: Entry, name: [UInt8], newest: Int64) {
        let metadata = entry.metadata
        self.init(
            name: name, kind: entry.kind.indexName, mode: Int64(metadata.mode), uid: Int64(metadata.uid),
            gid: Int64(metadata.gid), modified: metadata.modified.seconds == newest ? nil : metadata.modified.seconds)
        switch entry.kind {
        case .file(let digest, let size):
            content = (digest, Int64(clamping: size))
            // That of a file is its own.
            modified = metadata.modified.seconds
        case .symlink(let target): self.target = target.bytes
        default: break
        }
    }
}

/// Puts directories into the index.
///
/// It must not outlive the access to the database that it was made in.
struct DirectoryInsertion {
    private let known: BulkStatement
    private let directories: BulkStatement
    private let uses: BulkStatement
    private let entries: BulkStatement
    private let contents: ContentRows

    init(_ database: Database, _ contents: ContentRows) throws {
        self.contents = contents
        known = try BulkStatement("SELECT id FROM directories WHERE digest = ?", database)
        directories = try BulkStatement("INSERT INTO directories (digest, path) VALUES (?, ?)", database)
        uses = try BulkStatement("INSERT INTO layer_directories (layer, directory) VALUES (?, ?)", database)
        entries = try BulkStatement(
            """
            INSERT INTO directory_entries (directory, name, kind, mode, uid, gid, modified, blob, target)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, database)
    }

    /// Says that `layer` has `directory`.
    func insert(_ directory: IndexedDirectory, of layer: Int64) throws {
        try insert(row(of: directory), of: layer)
    }

    /// The same of the row of a directory.
    func insert(_ directory: Int64, of layer: Int64) throws {
        uses.bind(1, layer)
        uses.bind(2, directory)
        try uses.run()
    }

    /// The row of `directory`, which is made with all its entries if there is none.
    func row(of directory: IndexedDirectory) throws -> Int64 {
        let digest = directory.digest
        known.bind(1, digest)
        if let id = try known.firstInteger() { return id }
        directories.bind(1, digest)
        directories.bind(2, blob: directory.path)
        try directories.run()
        let id = directories.lastInsertedRowID
        for member in directory.members {
            entries.bind(1, id)
            entries.bind(2, blob: member.name)
            entries.bind(3, text: member.kind)
            entries.bind(4, member.mode)
            entries.bind(5, member.uid)
            entries.bind(6, member.gid)
            entries.bind(7, integer: member.modified)
            entries.bind(8, integer: try member.content.map { try contents.row(of: $0.digest, size: $0.size) })
            entries.bind(9, blob: member.target)
            try entries.run()
        }
        return id
    }
}
