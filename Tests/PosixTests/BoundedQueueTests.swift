import Testing

@testable import Posix

struct BoundedQueueTests {
    @Test("values come in order, however few may wait", arguments: [1, 2, 100])
    func order(capacity: Int) throws {
        let queue = BoundedQueue<Int>(capacity: capacity)
        let work = OrderedWork<Bool, Never>(threads: 1)
        work.add {
            for number in 0..<300 where !queue.put(number) { return false }
            return true
        }
        var values: [Int] = []
        while values.count < 300 { values.append(queue.take()) }
        #expect(values == Array(0..<300))
        #expect(work.next() == true)
    }

    @Test("whoever waits for room goes on when nobody takes any more") func closing() throws {
        let queue = BoundedQueue<Int>(capacity: 2)
        let work = OrderedWork<Int, Never>(threads: 2)
        for _ in 0..<2 {
            work.add {
                var count = 0
                while queue.put(count) { count += 1 }
                return count
            }
        }
        #expect(queue.take() == 0)
        queue.close()
        let counts = [work.next(), work.next()].compactMap { $0 }
        #expect(counts.count == 2 && (1...3).contains(counts.reduce(0, +)), "\(counts)")
        #expect(!queue.put(1))
    }
}
