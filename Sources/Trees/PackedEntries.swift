import Bytes
import Digests

/// Entries in any order, in some 90 bytes each: what ``Tree/Entries`` show a part of.
///
/// Names lie one after the other in one text. The directories that entries lie in are another: in a sorted list neighbours share
/// them, so each is there once, or a few times where other names of its parent come between. What is left of an entry is a record of fixed
/// size, and what most entries have in common is in a table.
struct PackedEntries: Sendable {
    private(set) var records = PackedRecords()
    /// Names and targets.
    private(set) var text: [UInt8] = []
    /// Paths of directories without a slash at their end, one after the other.
    private var directoryText: [UInt8] = []
    private var directoryEnds: [Int] = []
    private(set) var aspects: [PackedAspect] = []
    private var aspectPlaces: [PackedAspect: UInt32] = [:]
    /// The last directory that was appended to, and those above it that have been.
    private var open: [UInt32] = []

    var count: Int { records.count }
}

// MARK: Reading

extension PackedEntries {
    private func textStart(_ index: Int) -> Int { index == 0 ? 0 : records[index - 1].textEnd }

    /// Where the names and targets of a part of the list lie in ``text``.
    func textRange(_ range: Range<Int>) -> Range<Int> {
        range.isEmpty ? 0..<0 : textStart(range.lowerBound)..<records[range.upperBound - 1].textEnd
    }

    func aspect(_ index: Int) -> PackedAspect { aspects[Int(records[index].aspect)] }

    func kind(_ index: Int) -> PackedAspect.Kind { aspects[Int(records[index].aspect)].kind }

    /// How many bytes of the entry's text are the target of a link.
    private func targetCount(_ index: Int) -> Int { kind(index) == .symlink ? Int(records[index].size) : 0 }

    /// How many different places ``PackedRecord/directory`` can name.
    var directoryCount: Int { directoryEnds.count }

    private func directoryRange(_ directory: UInt32) -> Range<Int> {
        let place = Int(directory)
        return (place == 0 ? 0 : directoryEnds[place - 1])..<directoryEnds[place]
    }

    /// Calls `body` with the parts of the path of an entry (see `TreePath.withParts`).
    @inline(__always)
    func withParts<Result>(
        _ index: Int, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let directory = directoryRange(records[index].directory)
        let name = textStart(index)..<(records[index].textEnd - targetCount(index))
        return directoryText.withUnsafeBytes { directories in
            text.withUnsafeBytes { names in
                body(
                    UnsafeRawBufferPointer(rebasing: directories[directory]),
                    UnsafeRawBufferPointer(rebasing: names[name]))
            }
        }
    }

    func path(_ index: Int) -> TreePath { withParts(index) { TreePath(directory: $0, name: $1) } }

    /// What the entry is, of this aspect.
    private func kind(_ index: Int, _ kind: PackedAspect.Kind) -> Entry.Kind {
        let record = records[index]
        switch kind {
        case .directory: return .directory
        case .file: return .file(digest: record.digest, size: record.size)
        case .symlink:
            return .symlink(target: ByteString(Array(text[(record.textEnd - Int(record.size))..<record.textEnd])))
        case .characterDevice: return .characterDevice(major: record.deviceMajor, minor: record.deviceMinor)
        case .blockDevice: return .blockDevice(major: record.deviceMajor, minor: record.deviceMinor)
        case .fifo: return .fifo
        case .whiteout: return .whiteout
        }
    }

    func entryKind(_ index: Int) -> Entry.Kind { kind(index, kind(index)) }

    func metadata(_ index: Int) -> Metadata {
        let record = records[index]
        let aspect = aspects[Int(record.aspect)]
        return Metadata(
            mode: aspect.mode, uid: aspect.uid, gid: aspect.gid,
            modified: Timestamp(seconds: record.seconds, nanoseconds: record.nanoseconds),
            sorted: aspect.extendedAttributes)
    }

    func entry(_ index: Int) -> Entry {
        Entry(path: path(index), metadata: metadata(index), kind: kind(index, kind(index)))
    }

    /// Calls `body` with the name of an entry.
    func withName<Result>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let range = textStart(index)..<(records[index].textEnd - targetCount(index))
        return try text.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// The same with the target of a link.
    func withTarget<Result>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let end = records[index].textEnd
        return try text.withUnsafeBytes { text in
            try body(UnsafeRawBufferPointer(rebasing: text[(end - Int(records[index].size))..<end]))
        }
    }

    /// Negative, zero or positive, as the path of the entry lies before, at or after `directory`, a slash and `name`.
    func compare(_ index: Int, _ directory: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) -> Int {
        withParts(index) { PathOrder.compare($0, $1, directory, name) }
    }

    /// The same for two entries of this list.
    func compare(_ left: Int, _ right: Int) -> Int {
        guard records[left].directory != records[right].directory else {
            return withParts(left) { _, first in withParts(right) { _, second in PathOrder.compare(first, second) } }
        }
        return withParts(right) { compare(left, $0, $1) }
    }

    /// Whether the directory that the entry at `index` lies in is the one at `other`, as far as paths tell.
    func isPath(of other: Int, directoryOf index: Int) -> Bool {
        withParts(index) { directory, _ in
            withParts(other) { above, name in
                guard directory.count == above.count + 1 + name.count,
                    ByteComparison.comparePrefix(above, directory) == 0,
                    directory[above.count] == UInt8(ascii: "/")
                else { return false }
                return ByteComparison.areEqual(UnsafeRawBufferPointer(rebasing: directory[(above.count + 1)...]), name)
            }
        }
    }

    /// Whether two entries are known to lie in the same directory without a look at its path.
    func haveSameDirectory(_ left: Int, _ right: Int) -> Bool { records[left].directory == records[right].directory }
}

extension PackedRecord {
    fileprivate var deviceMajor: UInt32 { UInt32(truncatingIfNeeded: size >> 32) }
    fileprivate var deviceMinor: UInt32 { UInt32(truncatingIfNeeded: size) }
}

// MARK: Writing

extension PackedEntries {
    /// Appends all of `other`.
    mutating func append(_ other: PackedEntries) {
        let places = other.aspects.map { place(of: $0) }
        let directories = other.directoryText.withUnsafeBytes { text in
            other.directoryEnds.indices.map { number in
                directory(UnsafeRawBufferPointer(rebasing: text[other.directoryRange(UInt32(number))]))
            }
        }
        let start = text.count
        text.append(contentsOf: other.text)
        for index in 0..<other.count {
            var record = other.records[index]
            record.textEnd += start
            record.aspect = places[Int(record.aspect)]
            record.directory = directories[Int(record.directory)]
            records.append(record)
        }
    }

    mutating func append(_ entry: Entry) {
        let metadata = entry.metadata
        let place = place(
            of: PackedAspect(
                kind: PackedAspect.Kind(entry.kind), mode: metadata.mode, uid: metadata.uid, gid: metadata.gid,
                extendedAttributes: metadata.extendedAttributes))
        let directory = entry.path.withParts { directory, name in
            text.append(contentsOf: name)
            return self.directory(directory)
        }
        var record = PackedRecord(
            digest: Self.noDigest, size: 0, seconds: metadata.modified.seconds, textEnd: 0,
            nanoseconds: metadata.modified.nanoseconds, aspect: place, directory: directory)
        switch entry.kind {
        case .file(let digest, let size): (record.digest, record.size) = (digest, size)
        case .symlink(let target):
            text.append(contentsOf: target.bytes)
            record.size = UInt64(target.count)
        case .characterDevice(let major, let minor), .blockDevice(let major, let minor):
            record.size = UInt64(major) << 32 | UInt64(minor)
        case .directory, .fifo, .whiteout: break
        }
        record.textEnd = text.count
        records.append(record)
    }

    /// As ``append(_:)-(Entry)``, of a line of a dump.
    mutating func append(_ line: PlainDumpLine) {
        text.append(contentsOf: line.name)
        text.append(contentsOf: line.target)
        let record = PackedRecord(
            digest: line.digest, size: line.size, seconds: line.seconds, textEnd: text.count,
            nanoseconds: line.nanoseconds, aspect: place(of: line.kind, mode: line.mode, uid: line.uid, gid: line.gid),
            directory: directory(line.directory))
        records.append(record)
    }

    /// The same of a regular file without attributes.
    mutating func append(_ file: PlainFile, _ directory: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) {
        text.append(contentsOf: name)
        let place = place(of: .file, mode: file.mode, uid: file.uid, gid: file.gid)
        records.append(
            PackedRecord(
                digest: file.digest, size: file.size, seconds: file.modified.seconds, textEnd: text.count,
                nanoseconds: file.modified.nanoseconds, aspect: place, directory: self.directory(directory)))
    }

    private static let noDigest = Digest.empty

    /// Changes what an entry says of itself apart from its path, and from the target of a link.
    mutating func setMetadata(_ index: Int, _ metadata: Metadata) {
        let aspect = PackedAspect(
            kind: kind(index), mode: metadata.mode, uid: metadata.uid, gid: metadata.gid,
            extendedAttributes: metadata.extendedAttributes)
        records[index].aspect = place(of: aspect)
        records[index].seconds = metadata.modified.seconds
        records[index].nanoseconds = metadata.modified.nanoseconds
    }

    mutating func setModified(_ index: Int, _ time: Timestamp) {
        records[index].seconds = time.seconds
        records[index].nanoseconds = time.nanoseconds
    }

    private mutating func place(of aspect: PackedAspect) -> UInt32 {
        // Neighbours have the same mostly, or one of the first few.
        if records.count > 0 {
            let last = records[records.count - 1].aspect
            if aspects[Int(last)] == aspect { return last }
        }
        for place in 0..<min(aspects.count, 8) where aspects[place] == aspect { return UInt32(place) }
        if let place = aspectPlaces[aspect] { return place }
        let place = UInt32(aspects.count)
        aspects.append(aspect)
        aspectPlaces[aspect] = place
        return place
    }

    /// The same of what has no attributes; most are like one of the first few.
    private mutating func place(of kind: PackedAspect.Kind, mode: UInt16, uid: UInt32, gid: UInt32) -> UInt32 {
        let few = min(aspects.count, 8)
        for place in 0..<few {
            let isSame = aspects.withUnsafeBufferPointer { aspects in
                aspects[place].kind == kind && aspects[place].mode == mode && aspects[place].uid == uid
                    && aspects[place].gid == gid && aspects[place].extendedAttributes.isEmpty
            }
            if isSame { return UInt32(place) }
        }
        return place(of: PackedAspect(kind: kind, mode: mode, uid: uid, gid: gid, extendedAttributes: []))
    }

    /// The place of a directory, which is appended unless it is one of those that are open.
    private mutating func directory(_ path: UnsafeRawBufferPointer) -> UInt32 {
        while let last = open.last {
            let range = directoryRange(last)
            let (isSame, isAbove) = directoryText.withUnsafeBytes { all in
                let other = UnsafeRawBufferPointer(rebasing: all[range])
                guard other.count <= path.count, ByteComparison.comparePrefix(other, path) == 0 else {
                    return (false, false)
                }
                return other.count == path.count ? (true, false) : (false, path[other.count] == UInt8(ascii: "/"))
            }
            if isSame { return last }
            if isAbove { break }
            open.removeLast()
        }
        let place = UInt32(directoryEnds.count)
        directoryText.append(contentsOf: path)
        directoryEnds.append(directoryText.count)
        open.append(place)
        return place
    }
}
