import Glibc
import Synchronization

/// Work that is done on other threads while this one goes on, and whose results come in the order in which it was handed over.
///
///     let work = OrderedWork<[UInt8], TransportError>(pool)
///     for piece in pieces {
///         work.add { () throws(TransportError) in try compress(piece) }
///         if work.count == window, let result = try work.next() { write(result) }
///     }
///     while let result = try work.next() { write(result) }
///
/// The one who hands over bounds what is under way, by taking results. With a pool of one worker, and where no thread is to be
/// had, the work is done while it is handed over.
public final class OrderedWork<Output: Sendable, Failure: Error> {
    public typealias Job = @Sendable () throws(Failure) -> Output

    private let line: Line
    private let threads: [pthread_t]
    private var added = 0
    private var taken = 0

    /// Starts the threads of `pool`.
    public convenience init(_ pool: WorkerPool) { self.init(threads: pool.workers == 1 ? 0 : pool.workers) }

    /// Starts a number of threads; with one, jobs also run in the order in which they are handed over.
    public init(threads count: Int) {
        let line = Line()
        self.line = line
        threads = Threads.start(count) { line.work() }
    }

    deinit {
        line.close(threads.count)
        Threads.join(threads)
    }

    /// Whether there are threads; else the work is done while it is handed over.
    public var isParallel: Bool { !threads.isEmpty }

    /// How many results are still to be taken.
    public var count: Int { added - taken }

    public func add(_ job: @escaping Job) {
        if threads.isEmpty { line.finish(added, Line.run(job)) } else { line.add(added, job) }
        added += 1
    }

    /// Adds a result that is there already, behind those of the work before it.
    public func add(finished result: Output) {
        line.finish(added, .success(result))
        added += 1
    }

    /// The oldest result that was not taken yet; waits for it. nil when all were.
    ///
    /// - Throws: what its job threw.
    public func next() throws(Failure) -> Output? {
        guard taken < added else { return nil }
        let result = line.take(taken)
        taken += 1
        return try result.get()
    }

    /// What threads share.
    private final class Line: Sendable {
        private struct State {
            /// Those that nobody has begun: a few, bounded as the results are.
            var jobs: [(number: Int, job: Job)] = []
            var results: [Int: Result<Output, Failure>] = [:]
            var isClosed = false
        }

        private let state = Mutex(State())
        private let waiting = CountingSemaphore()
        private let finished = CountingSemaphore()

        func add(_ number: Int, _ job: @escaping Job) {
            state.withLock { $0.jobs.append((number, job)) }
            waiting.signal()
        }

        func finish(_ number: Int, _ result: Result<Output, Failure>) {
            state.withLock { $0.results[number] = result }
        }

        func take(_ number: Int) -> Result<Output, Failure> {
            while true {
                if let result = state.withLock({ $0.results.removeValue(forKey: number) }) { return result }
                // Counts all results, those of others too: then this is only another look.
                finished.wait()
            }
        }

        /// What each thread does.
        func work() {
            while true {
                waiting.wait()
                let begun = state.withLock { state -> (number: Int, job: Job)? in
                    state.isClosed || state.jobs.isEmpty ? nil : state.jobs.removeFirst()
                }
                guard let begun else { return }
                finish(begun.number, Self.run(begun.job))
                finished.signal()
            }
        }

        /// Ends `threads` threads; work that none has begun is left.
        func close(_ threads: Int) {
            state.withLock { $0.isClosed = true }
            for _ in 0..<threads { waiting.signal() }
        }

        static func run(_ job: Job) -> Result<Output, Failure> {
            do throws(Failure) { return .success(try job()) } catch { return .failure(error) }
        }
    }
}
