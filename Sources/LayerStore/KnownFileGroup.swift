import GRDB
import Posix

/// What is known of the host files whose inodes are neighbours, in one row of the index.
///
/// A file system gives the files of a directory inodes that lie near each other, and they are asked for together: one row for each
/// of them took a third of the index, and most of the time that asking took.
struct KnownFileGroup {
    /// One file, at this moment of its life.
    struct File: Hashable {
        /// Which of the group it is.
        var slot: UInt8
        var modified: FileTime
        var changed: FileTime
        /// The row of its content, which says its size as well.
        var content: Int64
        /// Whether it may have attributes that images carry.
        var hasAttributes: Bool
    }

    private static let shift: Int64 = 5
    private static let slotMask: UInt8 = 1 << shift - 1

    /// By their slots, each once.
    var files: [File] = []

    /// The group that the file with the number `inode`, as SQLite has it, is in.
    static func number(ofInode inode: Int64) -> Int64 { inode >> shift }

    static func slot(ofInode inode: Int64) -> UInt8 { UInt8(truncatingIfNeeded: inode) & slotMask }

    init() {}

    /// nil for what ``packed`` does not give.
    init?(packed bytes: UnsafeRawBufferPointer) {
        guard read(packed: bytes) else { return nil }
    }

    /// Takes `bytes` in the place of what is there.
    ///
    /// - Returns: whether they are what ``packed`` gives.
    mutating func read(packed bytes: UnsafeRawBufferPointer) -> Bool {
        files.removeAll(keepingCapacity: true)
        var numbers = PackedNumbers.Reader(bytes)
        while !numbers.isAtEnd {
            guard let file = File(&numbers), files.last.map({ $0.slot < file.slot }) ?? true else { return false }
            files.append(file)
        }
        return true
    }

    var packed: [UInt8] {
        var numbers = PackedNumbers()
        for file in files {
            numbers.append(UInt64(file.slot) | (file.hasAttributes ? UInt64(Self.slotMask) + 1 : 0))
            numbers.append(UInt64(bitPattern: file.content))
            numbers.append(signed: file.modified.seconds)
            numbers.append(UInt64(file.modified.nanoseconds))
            // Many were changed when they were written.
            numbers.append(signed: file.changed.seconds &- file.modified.seconds)
            numbers.append(UInt64(file.changed.nanoseconds))
        }
        return numbers.bytes
    }

    /// Adds `file`, in the place of what its slot has.
    mutating func set(_ file: File) {
        // They come in their order mostly.
        let place = files.firstIndex { $0.slot >= file.slot } ?? files.count
        if place < files.count, files[place].slot == file.slot {
            files[place] = file
        } else {
            files.insert(file, at: place)
        }
    }
}

extension KnownFileGroup.File {
    fileprivate init?(_ numbers: inout PackedNumbers.Reader) {
        guard let first = numbers.next(UInt8.self), first < 1 << 7, let content = numbers.next(Int64.self),
            let modified = numbers.nextSigned(), let modifiedNanoseconds = numbers.next(UInt32.self),
            let changed = numbers.nextSigned(), let changedNanoseconds = numbers.next(UInt32.self)
        else { return nil }
        self.init(
            slot: first & KnownFileGroup.slotMask,
            modified: FileTime(seconds: modified, nanoseconds: modifiedNanoseconds),
            changed: FileTime(seconds: modified &+ changed, nanoseconds: changedNanoseconds), content: content,
            hasAttributes: first > KnownFileGroup.slotMask)
    }
}

/// Writes what is known of files.
///
/// It must not outlive the access to the database that it was made in.
final class KnownFileRows {
    private let search: BulkStatement
    private let insertion: BulkStatement
    private var current: (device: Int64, number: Int64, group: KnownFileGroup)?

    init(_ database: Database) throws {
        search = try BulkStatement("SELECT files FROM known_files WHERE device = ? AND number = ?", database)
        insertion = try BulkStatement(
            "INSERT OR REPLACE INTO known_files (device, number, files) VALUES (?, ?, ?)", database)
    }

    /// Remembers a file. Those of one group are to come one after the other; ``finish()`` writes the last.
    func remember(
        device: Int64, inode: Int64, modified: FileTime, changed: FileTime, content: Int64, hasAttributes: Bool
    ) throws {
        let number = KnownFileGroup.number(ofInode: inode)
        if current?.device != device || current?.number != number {
            try finish()
            search.bind(1, device)
            search.bind(2, number)
            var group = KnownFileGroup()
            if try search.step() {
                group = search.withBlob(0) { KnownFileGroup(packed: $0) ?? group } ?? group
                search.reset()
            }
            current = (device, number, group)
        }
        current?.group.set(
            KnownFileGroup.File(
                slot: KnownFileGroup.slot(ofInode: inode), modified: modified, changed: changed, content: content,
                hasAttributes: hasAttributes))
    }

    func finish() throws {
        guard let (device, number, group) = current else { return }
        current = nil
        insertion.bind(1, device)
        insertion.bind(2, number)
        insertion.bind(3, blob: group.packed)
        try insertion.run()
    }

    /// Forgets the files whose contents are `dead`.
    static func forget(_ dead: Set<Int64>, _ database: Database) throws {
        let known = try BulkStatement("SELECT device, number, files FROM known_files", database)
        // Only what changes is held: there may be a million files that stay.
        var changed: [(device: Int64?, number: Int64?, files: [UInt8])] = []
        while try known.step() {
            var group = known.withBlob(2) { KnownFileGroup(packed: $0) } ?? nil
            if group?.files.contains(where: { dead.contains($0.content) }) == false { continue }
            group?.files.removeAll { dead.contains($0.content) }
            changed.append((known.integer(0), known.integer(1), group?.packed ?? []))
        }
        let removal = try BulkStatement("DELETE FROM known_files WHERE device = ? AND number = ?", database)
        let change = try BulkStatement("UPDATE known_files SET files = ? WHERE device = ? AND number = ?", database)
        for case (let device?, let number?, let files) in changed {
            let statement = files.isEmpty ? removal : change
            if !files.isEmpty { change.bind(1, blob: files) }
            statement.bind(files.isEmpty ? 1 : 2, device)
            statement.bind(files.isEmpty ? 2 : 3, number)
            try statement.run()
        }
    }
}
