import Testing

@testable import Posix

struct OrderedWorkTests {
    struct Failed: Error, Equatable { var number: Int }

    @Test("results come in the order of the work", arguments: [0, 1, 3], [1, 4, 100])
    func order(threads: Int, window: Int) throws {
        let work = OrderedWork<Int, Never>(threads: threads)
        var results: [Int] = []
        for number in 0..<500 {
            if work.count == window, let result = work.next() { results.append(result) }
            work.add {
                // Later ones are often done first.
                var sum = number
                for step in 0..<(number % 7 * 1_000) { sum &+= step &* 0 }
                return sum
            }
        }
        while let result = work.next() { results.append(result) }
        #expect(results == Array(0..<500))
        #expect(work.count == 0 && work.next() == nil)
    }

    @Test("a failure is that of its own piece of work", arguments: [0, 2]) func failure(threads: Int) throws {
        let work = OrderedWork<Int, Failed>(threads: threads)
        for number in 0..<5 {
            work.add { () throws(Failed) in
                if number % 2 == 1 { throw Failed(number: number) }
                return number
            }
        }
        #expect(try work.next() == 0)
        #expect(throws: Failed(number: 1)) { try work.next() }
        #expect(try work.next() == 2)
        #expect(throws: Failed(number: 3)) { try work.next() }
        #expect(try work.next() == 4)
    }

    @Test("work that nobody waits for does not keep anyone") func abandoned() throws {
        for _ in 0..<20 {
            let work = OrderedWork<Int, Never>(threads: 2)
            for number in 0..<10 { work.add { number } }
        }
    }
}
