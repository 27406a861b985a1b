import Synchronization
import Testing

@testable import Posix

struct WorkerPoolTests {
    struct Failed: Error, Equatable { var index: Int }

    @Test(arguments: [1, 2, 5])
    func everyIndexRunsOnce(_ workers: Int) {
        let seen = Mutex<[Int]>([])
        WorkerPool(workers: workers).forEach(1000) { index in seen.withLock { $0.append(index) } }
        #expect(seen.withLock { $0.sorted() } == Array(0..<1000))
    }

    @Test(arguments: [1, 4])
    func resultsComeInOrder(_ workers: Int) {
        #expect(WorkerPool(workers: workers).map(100) { $0 * $0 } == (0..<100).map { $0 * $0 })
    }

    @Test(arguments: [1, 4])
    func theFirstFailureIsTheOneReported(_ workers: Int) {
        #expect(throws: Failed(index: 3)) {
            try WorkerPool(workers: workers).forEach(1000) { (index) throws(Failed) in
                if index == 3 { throw Failed(index: index) }
            }
        }
    }
}
