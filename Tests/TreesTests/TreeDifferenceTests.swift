import Bytes
import Testing

@testable import Trees

struct TreeDifferenceTests {
    @Test func whatMattersIsToldFromTimes() throws {
        let old = try tree("f /a 1", "f /b 2", "f /gone 3", "f /same 4")
        let new = try Tree(
            tree("f /a 1", "f /b other", "f /new 3", "f /same 4").entries.map { entry in
                var entry = entry
                if entry.path.name == "a" { entry.metadata.modified = Timestamp(seconds: 9) }
                return entry
            })
        let difference = TreeDifference(from: old, to: new)
        #expect(difference.changed.map(\.description) == ["/b"])
        #expect(difference.added.map(\.description) == ["/new"])
        #expect(difference.removed.map(\.description) == ["/gone"])
        #expect(difference.retimed.map(\.description) == ["/a"])
        #expect(difference.description == "1 changed (/b), 1 added (/new), 1 removed (/gone), 1 with another time (/a)")
        #expect(TreeDifference(from: old, to: old).isEmpty)
    }
}
