import Glibc
import Synchronization

/// Runs blocking work on a fixed number of threads.
///
/// File calls block, and Swift's cooperative pool neither grows nor should be starved; GCD grows without bound when its
/// threads block. So work of the file system and of compression runs on threads of its own, as many as the machine has cores.
public struct WorkerPool: Sendable {
    /// The number of threads that work at a time.
    public let workers: Int

    /// A pool of `workers` threads; by default one for each core that is online (sysconf(3)).
    public init(workers: Int? = nil) {
        self.workers = max(1, workers ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }

    /// Calls `body` with 0 up to `count`, on all workers; in no particular order. Returns when all have ended.
    ///
    /// - Throws: the error with the smallest index among those that happened; after the first, no new index is begun.
    public func forEach<Failure: Error>(
        _ count: Int, _ body: @Sendable (Int) throws(Failure) -> Void
    ) throws(Failure) {
        guard count > 1, workers > 1 else {
            for index in 0..<count { try body(index) }
            return
        }
        let next = Atomic(0)
        let failure = Mutex<(index: Int, error: Failure)?>(nil)
        withoutActuallyEscaping(body) { body in
            Threads.run(min(workers, count)) {
                while true {
                    let index = next.add(1, ordering: .relaxed).oldValue
                    if index >= count { return }
                    do throws(Failure) {
                        try body(index)
                    } catch {
                        next.store(count, ordering: .relaxed)
                        failure.withLock { if $0.map({ index < $0.index }) ?? true { $0 = (index, error) } }
                    }
                }
            }
        }
        if let failed = failure.withLock({ $0 }) { throw failed.error }
    }

    /// The results of `body` for 0 up to `count`, in order.
    public func map<Result: Sendable, Failure: Error>(
        _ count: Int, _ body: @Sendable (Int) throws(Failure) -> Result
    ) throws(Failure) -> [Result] {
        let results = Mutex([Result?](repeating: nil, count: count))
        try forEach(count) { (index) throws(Failure) in
            let result = try body(index)
            results.withLock { $0[index] = result }
        }
        return results.withLock { $0.compactMap { $0 } }
    }
}
