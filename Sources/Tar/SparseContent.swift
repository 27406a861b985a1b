/// How far the content of a sparse file has been read.
struct SparseContent: Sendable {
    /// What comes next.
    enum Piece: Hashable {
        case hole(UInt64)
        case data(UInt64)
    }

    private let parts: [SparseMap.Part]
    private let size: UInt64
    /// Of the filling behind the content.
    let padding: Int
    private var index = 0
    private var position: UInt64 = 0

    /// - Parameter size: of the file with its holes; all parts of `map` lie in it.
    init(_ map: SparseMap, size: UInt64) {
        parts = map.parts
        self.size = size
        padding = TarBlock.padding(after: map.stored)
    }

    /// nil at the end of the file.
    var next: Piece? {
        guard index < parts.count else { return position < size ? .hole(size - position) : nil }
        let part = parts[index]
        return position < part.offset ? .hole(part.offset - position) : .data(part.offset + part.count - position)
    }

    /// Goes on by `count` bytes, no more than ``next`` has.
    mutating func pass(_ count: UInt64) {
        position += count
        if index < parts.count, position == parts[index].offset + parts[index].count { index += 1 }
    }
}
