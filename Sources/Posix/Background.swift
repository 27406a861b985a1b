import Glibc
import Synchronization

/// Work for one result, which another thread does while this one goes on.
///
///     let tree = Background(pool) { try read(digest) }
///     prepare()
///     use(try tree.value())
///
/// With a pool of one worker, and where no thread is to be had, it is done when it is asked for.
public final class Background<Output: Sendable> {
    private let work: Work
    private var threads: [pthread_t]

    public init(_ pool: WorkerPool, _ body: @escaping @Sendable () throws -> Output) {
        let work = Work(body)
        self.work = work
        threads = pool.workers == 1 ? [] : Threads.start(1) { _ = work.result() }
    }

    deinit { Threads.join(threads) }

    /// The result; waits for it.
    ///
    /// - Throws: what the work threw.
    public func value() throws -> Output {
        Threads.join(threads)
        threads = []
        return try work.result().get()
    }

    private final class Work: Sendable {
        private let body: @Sendable () throws -> Output
        private let done = Mutex<Result<Output, any Error>?>(nil)

        init(_ body: @escaping @Sendable () throws -> Output) { self.body = body }

        /// Does the work, where it was not done.
        func result() -> Result<Output, any Error> {
            done.withLock { done in
                if let done { return done }
                let result = Result { try body() }
                done = result
                return result
            }
        }
    }
}
