import Digests
import GRDB
import Posix
import Synchronization
import SystemPackage
import Trees

/// What the index is to know of very many contents and files that a session took, until all were taken.
///
/// Told a part at a time, an index would be changed in nearly all of its pages each time, since digests are evenly spread; in the order
/// of its tables it grows at its end (docs/decisions/0040).
final class IntakeLog: Sendable {
    private struct Content: Comparable {
        var digest: Digest
        var state: InodeFingerprint

        static func < (left: Content, right: Content) -> Bool { left.digest < right.digest }
        static func == (left: Content, right: Content) -> Bool { left.digest == right.digest }
    }

    private struct File: Comparable {
        var key: KnownFileSearch.Key
        var modified: FileTime
        var changed: FileTime
        var digest: Digest
        var size: UInt64
        var hasAttributes: Bool
        /// Which of the contents of the same run it has; negative for one that was there before.
        var content: Int32

        static func < (left: File, right: File) -> Bool { left.key < right.key }
        static func == (left: File, right: File) -> Bool { left.key == right.key }
    }

    private struct Runs {
        var contents: SpilledRuns<Content>
        var files: SpilledRuns<File>
    }

    /// nil as long as nothing was added.
    private let runs = Mutex<Runs?>(nil)

    var isEmpty: Bool { runs.withLock { $0 == nil } }

    func removeAll() { runs.withLock { $0 = nil } }

    /// Adds the states of contents, and files that were taken; one thread at a time.
    func append(
        _ states: [Digest: InodeFingerprint], _ files: [SourceFile], in staging: StagingArea
    ) throws(SystemError) {
        let contents = states.map { Content(digest: $0.key, state: $0.value) }.sorted()
        var places: [Digest: Int32] = [:]
        places.reserveCapacity(contents.count)
        for (place, content) in contents.enumerated() { places[content.digest] = Int32(place) }
        let settled = SourceFile.settled(files).map { file in
            File(
                key: file.key, modified: file.fingerprint.modified, changed: file.fingerprint.changed,
                digest: file.digest, size: file.size, hasAttributes: !file.metadata.extendedAttributes.isEmpty,
                content: places[file.digest] ?? -1)
        }
        let runs = try runs.withLock { (runs) throws(SystemError) in
            if let runs { return runs }
            let made = Runs(contents: try SpilledRuns(in: staging), files: try SpilledRuns(in: staging))
            runs = made
            return made
        }
        try runs.contents.append(contents)
        try runs.files.append(settled)
    }

    /// Tells the index.
    func write(to database: Database) throws {
        guard let runs = runs.withLock({ $0 }) else { return }
        let rows = try ContentRows(database)
        var numbers = runs.contents.runs.map { [Int64](repeating: 0, count: $0) }
        try runs.contents.forEach { content, run, place in
            numbers[run][place] = try rows.remember(content.state, of: content.digest)
        }
        let known = try KnownFileRows(database)
        try runs.files.forEach { file, run, _ in
            let row =
                try file.content < 0
                ? rows.row(of: file.digest, size: Int64(clamping: file.size)) : numbers[run][Int(file.content)]
            try known.remember(
                device: file.key.device, inode: file.key.inode, modified: file.modified, changed: file.changed,
                content: row, hasAttributes: file.hasAttributes)
        }
        try known.finish()
    }
}
