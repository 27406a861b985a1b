import Bytes
import LayerStore
import Posix
import Trees

/// Takes files of the host into a store on other threads, in batches of which one may be begun while another is under way.
final class FileStaging {
    private typealias Wanted = (source: ByteString, state: SourceState, known: KnownContent?)

    private let intake: any ContentIntake
    private let workers: Int
    private let progress: ProgressMeter
    /// Made for the first file: most runs that only look at what is there need no thread.
    private var work: OrderedWork<[SourceFile], any Error>?

    /// - Parameter count: the most files that there will be.
    init(_ intake: any ContentIntake, count: Int, _ pool: WorkerPool, _ progress: ProgressMeter) {
        (self.intake, self.progress) = (intake, progress)
        // Some wait for the disk, where files are read for the first time.
        let threads = pool.workers + min(pool.workers, Self.mostWaiting)
        workers = pool.workers == 1 || count <= Self.groupSize ? 0 : min(threads, Self.groups(count))
    }

    /// Each thread may hold a small content.
    private static let mostWaiting = 8

    /// Files are handed out a few at a time: one takes longer to hand out than to be found known.
    private static func groups(_ count: Int) -> Int { (count + groupSize - 1) / groupSize }

    /// Files that were handed over together.
    struct Batch {
        /// For each entry the place of its file in the batch; nil for what is no file of the host.
        fileprivate let places: [Int?]
        fileprivate let groups: Int
    }

    /// Begins to take the files of `entries`. Batches are to be ended in the order in which they were begun.
    ///
    /// - Parameter known: what is known of each.
    func begin(_ entries: [PlannedEntry], known: [KnownContent?]) -> Batch {
        // Several entries may be of one file: two programs that need one library.
        var places: [ByteString: Int] = [:]
        var wanted: [Wanted] = []
        places.reserveCapacity(entries.count)
        wanted.reserveCapacity(entries.count)
        let files = zip(entries, known).map { entry, known -> Int? in
            guard let file = entry.file else { return nil }
            let place = places[file.source, default: wanted.count]
            if place == wanted.count {
                places[file.source] = place
                wanted.append((file.source, file.state, known))
            }
            return place
        }
        let groups = Self.groups(wanted.count)
        for group in 0..<groups {
            let files = Array(wanted[(group * Self.groupSize)..<min((group + 1) * Self.groupSize, wanted.count)])
            let work = work ?? OrderedWork(threads: workers)
            self.work = work
            work.add { [intake, progress] in try Self.take(files, intake, progress) }
        }
        return Batch(places: files, groups: groups)
    }

    /// Waits until the files of `batch` are taken.
    ///
    /// - Returns: for each entry the file that it is of; and how many contents were new.
    func end(_ batch: Batch) throws -> (files: [SourceFile?], news: (contents: Int, bytes: UInt64)) {
        var taken: [SourceFile] = []
        for _ in 0..<batch.groups { taken += try work?.next() ?? [] }
        // Of several files with one content one was copied.
        let news = taken.lazy.filter { $0.wasCopied && $0.size > 0 }
            .reduce(into: (contents: 0, bytes: UInt64(0))) { $0 = ($0.contents + 1, $0.bytes &+ $1.size) }
        return (batch.places.map { $0.map { taken[$0] } }, news)
    }

    private static func take(
        _ files: [Wanted], _ intake: any ContentIntake, _ progress: ProgressMeter
    ) throws -> [SourceFile] {
        var size: UInt64 = 0
        let sources = try files.map { file in
            let source = try intake.stage(file: file.source, state: file.state, known: file.known)
            // What was examined when the plan was made, and found to be allowed, is what must be stored.
            guard source.fingerprint.identity == file.state.fingerprint.identity else {
                throw LayerStoreError.sourceChanges(file.source)
            }
            size &+= source.size
            // Large files take long: whoever watches is told of each.
            if size >= progressStep {
                try progress.advance(by: size)
                size = 0
            }
            return source
        }
        try progress.advance(by: size)
        return sources
    }

    private static let groupSize = 16
    private static let progressStep: UInt64 = 1 << 20
}
