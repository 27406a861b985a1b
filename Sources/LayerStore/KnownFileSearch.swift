import Digests
import GRDB
import Posix

/// What the index knows of host files, and of the inodes of their contents, asked at once.
struct KnownFileSearch {
    /// Of each of the files; nil of those that were not met before in this state.
    private(set) var known: [KnownContent?]
    /// The contents that were found, as often as there are files of them, with what is remembered of their inodes.
    private(set) var contents: [(digest: Digest, state: InodeFingerprint?)] = []

    /// Device and inode as SQLite has them: 64-bit patterns with a sign. By them the table is ordered.
    struct Key: Comparable {
        var device: Int64
        var inode: Int64

        init(_ state: SourceFingerprint) {
            device = Int64(bitPattern: state.identity.device)
            inode = Int64(bitPattern: state.identity.inode)
        }

        static func < (left: Key, right: Key) -> Bool {
            left.device != right.device ? left.device < right.device : left.inode < right.inode
        }
    }

    /// A file that is known: which of those that were asked for, and the row of its content.
    private struct Hit {
        var content: Int64
        var position: Int
        var hasAttributes: Bool
    }

    init(_ states: [SourceFingerprint], in index: LayerIndex) throws(LayerStoreError) {
        self = try index.read("read") { try KnownFileSearch(states, $0) }
    }

    init(_ states: [SourceFingerprint], _ database: Database) throws {
        known = [KnownContent?](repeating: nil, count: states.count)
        var wanted = states.indices.map { (key: Key(states[$0]), position: $0) }
        wanted.sort { $0.key < $1.key }
        let found = try Self.contents(of: Self.hits(wanted, states, database), states, database)
        contents.reserveCapacity(found.count)
        for (hit, content) in found {
            known[hit.position] = KnownContent(digest: content.digest, hasAttributes: hit.hasAttributes)
            contents.append(content)
        }
    }

    /// The files among `wanted`, which are sorted, that are known in their states, but for their sizes; by the rows of their contents.
    private static func hits(
        _ wanted: [(key: Key, position: Int)], _ states: [SourceFingerprint], _ database: Database
    ) throws -> [Hit] {
        let statement = try BulkStatement(
            "SELECT number, files FROM known_files WHERE device = ? AND number >= ? ORDER BY number", database)
        var hits: [Hit] = []
        hits.reserveCapacity(wanted.count)
        var group = KnownFileGroup()
        var place = 0
        // Along the table, as long as most of its rows are wanted.
        while place < wanted.count {
            let device = wanted[place].key.device
            statement.bind(1, device)
            statement.bind(2, KnownFileGroup.number(ofInode: wanted[place].key.inode))
            var passed = 0
            while place < wanted.count, wanted[place].key.device == device, passed <= BulkStatement.patience {
                guard try statement.step(), let number = statement.integer(0) else {
                    // That was the last one of this device.
                    place = wanted[place...].firstIndex { $0.key.device != device } ?? wanted.count
                    break
                }
                func isBefore(_ place: Int, _ limit: Int64) -> Bool {
                    place < wanted.count && wanted[place].key.device == device
                        && KnownFileGroup.number(ofInode: wanted[place].key.inode) < limit
                }
                while isBefore(place, number) { place += 1 }
                var end = place
                // There is none behind that of the largest inodes.
                while isBefore(end, number + 1) { end += 1 }
                passed = place < end ? 0 : passed + 1
                if place < end, statement.withBlob(1, { group.read(packed: $0) }) == true {
                    add(group, wanted[place..<end], states, to: &hits)
                }
                place = end
            }
            statement.reset()
        }
        hits.sort { $0.content < $1.content }
        return hits
    }

    private static func add(
        _ group: KnownFileGroup, _ wanted: ArraySlice<(key: Key, position: Int)>, _ states: [SourceFingerprint],
        to hits: inout [Hit]
    ) {
        var next = 0
        for (key, position) in wanted {
            let slot = KnownFileGroup.slot(ofInode: key.inode)
            while next < group.files.count, group.files[next].slot < slot { next += 1 }
            guard next < group.files.count else { return }
            let file = group.files[next]
            // One file may be there by several names.
            guard file.slot == slot, file.modified == states[position].modified,
                file.changed == states[position].changed
            else { continue }
            hits.append(Hit(content: file.content, position: position, hasAttributes: file.hasAttributes))
        }
    }

    /// The contents of `hits`, which are sorted by their rows; without those that have another size than the file.
    private static func contents(
        of hits: [Hit], _ states: [SourceFingerprint], _ database: Database
    ) throws -> [(hit: Hit, content: (digest: Digest, state: InodeFingerprint?))] {
        let statement = try BulkStatement(
            "SELECT id, digest, \(InodeFingerprint.columns) FROM blobs WHERE id >= ? ORDER BY id", database)
        var result: [(hit: Hit, content: (digest: Digest, state: InodeFingerprint?))] = []
        result.reserveCapacity(hits.count)
        var place = 0
        while place < hits.count {
            statement.bind(1, hits[place].content)
            var passed = 0
            while place < hits.count, passed <= BulkStatement.patience {
                guard try statement.step(), let row = statement.integer(0) else { return result }
                while place < hits.count, hits[place].content < row { place += 1 }
                guard place < hits.count, hits[place].content == row else {
                    passed += 1
                    continue
                }
                passed = 0
                let content = statement.digest(1).map { (digest: $0, state: InodeFingerprint(statement, from: 2)) }
                let size = statement.integer(2)
                while place < hits.count, hits[place].content == row {
                    if let content, size == Int64(clamping: states[hits[place].position].size) {
                        result.append((hits[place], content))
                    }
                    place += 1
                }
            }
            statement.reset()
        }
        return result
    }
}
