import Synchronization
import Testing

@testable import Posix

struct BackgroundTests {
    private struct Failed: Error {}

    @Test(arguments: [1, 2])
    func givesWhatTheWorkGives(workers: Int) throws {
        let runs = Mutex(0)
        let counted = Background(WorkerPool(workers: workers)) {
            runs.withLock {
                $0 += 1
                return $0
            }
        }
        // Done once, however often it is asked for.
        #expect(try counted.value() == 1)
        #expect(try counted.value() == 1)
        #expect(runs.withLock { $0 } == 1)
    }

    @Test(arguments: [1, 2])
    func throwsWhatTheWorkThrows(workers: Int) {
        let failing = Background<Int>(WorkerPool(workers: workers)) { throw Failed() }
        #expect(throws: Failed.self) { try failing.value() }
        #expect(throws: Failed.self) { try failing.value() }
    }

    @Test func isWaitedForWhereNobodyAsks() {
        let ended = Atomic(false)
        do {
            let begun = Background(WorkerPool(workers: 2)) { ended.store(true, ordering: .relaxed) }
            withExtendedLifetime(begun) {}
        }
        let hasEnded = ended.load(ordering: .relaxed)
        #expect(hasEnded)
    }
}
