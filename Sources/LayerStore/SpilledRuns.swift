import Posix
import Synchronization
import SystemPackage

/// Values of one size that come in sorted runs, are kept in a file without a name, and are read in order in the end: however many there
/// are, only a few of each run are in memory.
final class SpilledRuns<Element: BitwiseCopyable & Comparable & Sendable>: Sendable {
    /// Its bytes are those of the values, as this process has them.
    private let file: OwnedDescriptor
    /// The lengths of the runs, which lie one after the other.
    private let lengths = Mutex<[Int]>([])

    init(in staging: StagingArea) throws(SystemError) {
        let name = staging.freshName()
        file = try staging.directory.open(name, [.readWrite, .create, .exclusive])
        staging.discard(name)
    }

    /// Adds a run, which is sorted; one thread at a time.
    func append(_ run: [Element]) throws(SystemError) {
        var failure: SystemError?
        run.withUnsafeBytes { bytes in
            do throws(SystemError) { try file.writeAll(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        lengths.withLock { $0.append(run.count) }
    }

    /// The lengths of all runs.
    var runs: [Int] { lengths.withLock { $0 } }

    /// Calls `body` with all values in order, and with which of its run in which run each is; of equal ones that of the earlier run
    /// comes first.
    func forEach(_ body: (_ value: Element, _ run: Int, _ place: Int) throws -> Void) throws {
        var heap = MergeHeap<Cursor>()
        var start = 0
        for (run, length) in runs.enumerated() {
            if let cursor = try Cursor(run, start..<(start + length), file) { heap.insert(cursor) }
            start += length
        }
        while var cursor = heap.first {
            try body(cursor.value, cursor.run, cursor.place)
            if try cursor.advance(in: file) { heap.replaceFirst(cursor) } else { heap.removeFirst() }
        }
    }

    /// The next value of a run.
    private struct Cursor: Comparable {
        let run: Int
        private let range: Range<Int>
        private var position: Int
        /// Read ahead, the last one first.
        private var ahead: [Element] = []

        /// nil for a run of nothing.
        init?(_ run: Int, _ range: Range<Int>, _ file: borrowing OwnedDescriptor) throws(SystemError) {
            (self.run, self.range, position) = (run, range, range.lowerBound)
            if range.isEmpty { return nil }
            try readAhead(file)
        }

        var value: Element { ahead[ahead.count - 1] }

        /// Which of its run it is.
        var place: Int { position - range.lowerBound }

        /// - Returns: whether there is another.
        mutating func advance(in file: borrowing OwnedDescriptor) throws(SystemError) -> Bool {
            position += 1
            ahead.removeLast()
            if position == range.upperBound { return false }
            if ahead.isEmpty { try readAhead(file) }
            return true
        }

        private mutating func readAhead(_ file: borrowing OwnedDescriptor) throws(SystemError) {
            let count = min(range.upperBound - position, aheadCount)
            let size = MemoryLayout<Element>.stride
            var failure: SystemError?
            ahead = Array(unsafeUninitializedCapacity: count) { buffer, initialized in
                let bytes = UnsafeMutableRawBufferPointer(buffer)
                var received = 0
                do throws(SystemError) {
                    while received < bytes.count {
                        let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[received...])
                        let more = try file.read(at: UInt64(position * size + received), into: rest)
                        // It is ours, and has no name.
                        guard more > 0 else { throw SystemError("read", file.path, .ioError) }
                        received += more
                    }
                    initialized = count
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            ahead.reverse()
        }

        static func < (left: Cursor, right: Cursor) -> Bool {
            left.value == right.value ? left.run < right.run : left.value < right.value
        }

        static func == (left: Cursor, right: Cursor) -> Bool { left.run == right.run }

        /// How many of each run are in memory.
        private var aheadCount: Int { 256 }
    }
}
