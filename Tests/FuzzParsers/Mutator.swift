import TestSupport

/// Makes damaged inputs of good ones: the same ones for the same seed.
struct Mutator {
    private let seeds: [[UInt8]]
    private var generator: SeededGenerator
    private let limit: Int

    /// - Parameter limit: the greatest size of an input, in bytes.
    init(_ seeds: [[UInt8]], seed: UInt64, limit: Int) {
        self.seeds = seeds.filter { $0.count <= limit }
        self.limit = limit
        generator = SeededGenerator(seed: seed)
    }

    mutating func next() -> [UInt8] {
        var bytes = seeds.randomElement(using: &generator) ?? []
        // One in sixteen is as it was: the sound paths are to be walked, too.
        for _ in 0..<(random(16) == 0 ? 0 : 1 << random(5)) { mutate(&bytes) }
        return bytes
    }

    private mutating func random(_ bound: Int) -> Int { Int.random(in: 0..<max(bound, 1), using: &generator) }

    /// A place to change. Formats say at their beginning where the rest is, so half of all changes are there.
    private mutating func place(_ bytes: [UInt8]) -> Int {
        random(2) == 0 ? random(min(bytes.count, 512)) : random(bytes.count)
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else {
            bytes = (0..<random(64)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            return
        }
        let start = place(bytes)
        switch random(10) {
        case 0: bytes[start] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes[start] ^= 1 << UInt8(random(8))
        case 2, 3, 4: put(number(bytes.count), width: 1 << random(4), at: start, &bytes)
        case 5: bytes.removeLast(random(min(bytes.count, 1 << random(16)) + 1))
        case 6: bytes.removeSubrange(start..<min(bytes.count, start + 1 + random(1 << random(8))))
        case 7:
            let piece = Array(bytes[start..<min(bytes.count, start + 1 + random(1 << random(8)))])
            insert(piece, at: place(bytes), &bytes)
        case 8:
            let end = min(bytes.count, start + 1 + random(32))
            let source = place(bytes)
            for index in start..<end { bytes[index] = bytes[min(source + index - start, bytes.count - 1)] }
        default:
            guard let other = seeds.randomElement(using: &generator), !other.isEmpty else { return }
            let from = random(other.count)
            insert(Array(other[from..<min(other.count, from + 1 + random(1 << random(10)))]), at: start, &bytes)
        }
    }

    private func insert(_ piece: [UInt8], at place: Int, _ bytes: inout [UInt8]) {
        if bytes.count + piece.count <= limit { bytes.insert(contentsOf: piece, at: place) }
    }

    /// Numbers at which sums and products go wrong, and such as are offsets in the input.
    private mutating func number(_ size: Int) -> UInt64 {
        switch random(8) {
        case 0: 0
        case 1: .max
        case 2: UInt64(bitPattern: Int64(random(64) - 32))
        case 3: 1 << UInt64(random(64))
        case 4: (1 << UInt64(random(64))) &- UInt64(random(64))
        case 5: UInt64(size) &+ UInt64(bitPattern: Int64(random(32) - 16))
        default: UInt64(random(size))
        }
    }

    private mutating func put(_ number: UInt64, width: Int, at place: Int, _ bytes: inout [UInt8]) {
        let aligned = random(4) == 0 ? place : place / width * width
        let isBig = random(4) == 0
        for index in 0..<width where aligned + index < bytes.count {
            bytes[aligned + index] = UInt8(
                truncatingIfNeeded: number >> UInt64(8 * (isBig ? width - 1 - index : index)))
        }
    }
}
