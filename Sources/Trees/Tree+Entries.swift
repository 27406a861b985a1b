public import Bytes
public import Digests

extension Tree {
    /// A list of entries that takes little memory: some 90 bytes for each, its path included, where an array of ``Entry`` takes 200.
    ///
    /// An entry is made when it is asked for. What is wanted of many of them (``path(at:)``, ``kind(at:)``, ``contents``) costs less by
    /// itself. A part of a list is one too, and shares what it is made of.
    public struct Entries: Sendable {
        var packed = PackedEntries()
        public private(set) var startIndex = 0
        public private(set) var endIndex = 0

        public init() {}

        init(_ packed: PackedEntries) { (self.packed, endIndex) = (packed, packed.count) }
    }
}

/// A regular file without attributes, but for its path.
package struct PlainFile {
    package var digest: Digest
    package var size: UInt64
    package var mode: UInt16
    package var uid: UInt32
    package var gid: UInt32
    package var modified: Timestamp

    package init(digest: Digest, size: UInt64, mode: UInt16, uid: UInt32, gid: UInt32, modified: Timestamp) {
        (self.digest, self.size, self.modified) = (digest, size, modified)
        (self.mode, self.uid, self.gid) = (mode, uid, gid)
    }
}

extension Tree.Entries: RandomAccessCollection {
    public subscript(position: Int) -> Entry {
        precondition(position >= startIndex && position < endIndex, "no entry at \(position)")
        return packed.entry(position)
    }

    public subscript(bounds: Range<Int>) -> Tree.Entries {
        precondition(bounds.lowerBound >= startIndex && bounds.upperBound <= endIndex, "no entries at \(bounds)")
        var part = self
        (part.startIndex, part.endIndex) = (bounds.lowerBound, bounds.upperBound)
        return part
    }

    /// Goes through a list.
    public struct Iterator: IteratorProtocol {
        private let packed: PackedEntries
        private var position: Int
        private let end: Int

        fileprivate init(_ entries: Tree.Entries) {
            (packed, position, end) = (entries.packed, entries.startIndex, entries.endIndex)
        }

        public mutating func next() -> Entry? {
            guard position < end else { return nil }
            defer { position += 1 }
            return packed.entry(position)
        }
    }

    public func makeIterator() -> Iterator { Iterator(self) }
}

extension Tree.Entries: RangeReplaceableCollection, ExpressibleByArrayLiteral {
    public init(_ entries: some Sequence<Entry>) {
        if let same = entries as? Tree.Entries {
            self = same
        } else {
            append(contentsOf: entries)
        }
    }

    public init(arrayLiteral entries: Entry...) { self.init(entries) }

    public mutating func append(_ entry: Entry) {
        own()
        packed.append(entry)
        endIndex = packed.count
    }

    /// What follows the part of a list that this is belongs to others.
    private mutating func own() {
        if endIndex == packed.count { return }
        var own = PackedEntries()
        for index in indices { own.append(packed.entry(index)) }
        self = Tree.Entries(own)
    }

    /// The same of a file, by the parts of its path (see `TreePath.withParts`); no entry is made on the way.
    package mutating func append(
        _ file: PlainFile, in directory: UnsafeRawBufferPointer, named name: UnsafeRawBufferPointer
    ) {
        own()
        packed.append(file, directory, name)
        endIndex = packed.count
    }

    public mutating func append(contentsOf entries: some Sequence<Entry>) {
        for entry in entries { append(entry) }
    }

    /// The time grows with the length of the list.
    public mutating func replaceSubrange(_ range: Range<Int>, with entries: some Collection<Entry>) {
        var result = PackedEntries()
        for index in startIndex..<range.lowerBound { result.append(packed.entry(index)) }
        for entry in entries { result.append(entry) }
        for index in range.upperBound..<endIndex { result.append(packed.entry(index)) }
        self = Tree.Entries(result)
    }
}

extension Tree.Entries {
    /// The path of the entry at `position`.
    public func path(at position: Int) -> TreePath {
        precondition(indices.contains(position), "no entry at \(position)")
        return packed.path(position)
    }

    /// Whether that is this path.
    package func isPath(
        in directory: UnsafeRawBufferPointer, named name: UnsafeRawBufferPointer, at position: Int
    ) -> Bool {
        precondition(indices.contains(position), "no entry at \(position)")
        return packed.withParts(position) {
            ByteComparison.areEqual($1, name) && ByteComparison.areEqual($0, directory)
        }
    }

    /// What the entry at `position` is.
    public func kind(at position: Int) -> Entry.Kind {
        precondition(indices.contains(position), "no entry at \(position)")
        return packed.entryKind(position)
    }

    /// The content of the entry at `position`, when it is a regular file; what an empty file has as well.
    public func content(at position: Int) -> (digest: Digest, size: UInt64)? {
        precondition(indices.contains(position), "no entry at \(position)")
        guard packed.kind(position) == .file else { return nil }
        let record = packed.records[position]
        return (record.digest, record.size)
    }

    /// The contents of the regular files that are not empty, in the order of the entries, as often as they occur.
    public var contents: some Sequence<(digest: Digest, size: UInt64)> {
        indices.lazy.compactMap { position in content(at: position).flatMap { $0.size > 0 ? $0 : nil } }
    }

    /// What the entry at `position` says of itself apart from its path and what it is.
    public func metadata(at position: Int) -> Metadata {
        precondition(indices.contains(position), "no entry at \(position)")
        return packed.metadata(position)
    }

    /// Calls `body` with the name of the entry at `position`, which is valid only meanwhile.
    public func withName<Result>(at position: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result
    {
        precondition(indices.contains(position), "no entry at \(position)")
        return try packed.withName(position, body)
    }

    /// The same with the target of the link at `position`; nil when that is no link.
    public func withTarget<Result>(
        at position: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result? {
        precondition(indices.contains(position), "no entry at \(position)")
        return try packed.kind(position) == .symlink ? packed.withTarget(position, body) : nil
    }

    /// Whether the entry at `position` is a directory.
    public func isDirectory(at position: Int) -> Bool {
        precondition(indices.contains(position), "no entry at \(position)")
        return packed.kind(position) == .directory
    }

    /// Whether the entry at `position` and that of `other` at `otherPosition` have the same path and are the same, but for their times.
    public func hasSame(at position: Int, as other: Tree.Entries, at otherPosition: Int) -> Bool {
        precondition(indices.contains(position), "no entry at \(position)")
        precondition(other.indices.contains(otherPosition), "no entry at \(otherPosition)")
        return packed.hasSame(position, as: other.packed, otherPosition)
    }

    /// The time of the entry at `position`.
    public func modified(at position: Int) -> Timestamp {
        precondition(indices.contains(position), "no entry at \(position)")
        let record = packed.records[position]
        return Timestamp(seconds: record.seconds, nanoseconds: record.nanoseconds)
    }

    /// Changes the time of the entry at `position`.
    public mutating func setModified(_ time: Timestamp, at position: Int) {
        precondition(indices.contains(position), "no entry at \(position)")
        packed.setModified(position, time)
    }

    /// Whether any of them is a whiteout.
    public var haveWhiteouts: Bool { indices.contains { packed.kind($0) == .whiteout } }

    /// The bytes of all file contents, each path counted.
    public var size: UInt64 {
        indices.reduce(0) { packed.kind($1) == .file ? $0 &+ packed.records[$1].size : $0 }
    }

    /// The newest time among them; nil when there are none.
    public var newest: Timestamp? { indices.lazy.map(modified).max() }

    /// Where in this list, which is sorted, `path` is; nil where it is not.
    public func index(sorted path: TreePath) -> Int? {
        let (index, isThere) = lowerBound(path)
        return isThere ? index : nil
    }

    /// Where in this list, which is sorted, `path` is or would be.
    func lowerBound(_ path: TreePath) -> (index: Int, isThere: Bool) {
        path.withParts { directory, name in lowerBound(directory, name) }
    }

    func lowerBound(
        _ directory: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer
    ) -> (index: Int, isThere: Bool) {
        var (low, high) = (startIndex, endIndex)
        var isThere = false
        while low < high {
            let middle = (low + high) / 2
            let order = packed.compare(middle, directory, name)
            if order < 0 {
                low = middle + 1
            } else {
                high = middle
                isThere = order == 0
            }
        }
        return (low, isThere)
    }
}

extension Tree.Entries: Hashable {
    public static func == (left: Tree.Entries, right: Tree.Entries) -> Bool {
        left.count == right.count && left.packed.hasSame(left.indices, as: right.packed, right.indices)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        packed.text.withUnsafeBytes {
            hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[packed.textRange(startIndex..<endIndex)]))
        }
        for index in indices where packed.kind(index) == .file { hasher.combine(packed.records[index].digest) }
    }
}

extension Tree.Entries: CustomStringConvertible {
    public var description: String { Array(self).description }
}
