import Bytes
import Digests
import LayerStore
import Trees

/// The entries of a plan, in the order in which they were asked for.
///
/// A plan may be of a million files. Those that a walk finds, each under its own name, are kept in some 80 bytes each; an entry
/// is made of them when it is asked for.
struct PlanEntries: Sendable {
    /// A file that lies in its directory of the layer under the name that it has on this machine.
    private struct Record {
        var state: SourceState.Own
        /// Where its name ends in ``text``; it begins where that of the record before it ends.
        var textEnd: Int
        /// Which of ``places`` it lies in.
        var place: UInt32
        /// Which of ``aspects`` it has; of an entry of any other kind ``other``, and ``place`` is which of ``others`` it is.
        var aspect: UInt32
    }

    private static let other = UInt32.max

    /// A directory, by its names in the layer, on this machine and in the root that it comes from.
    private struct Place {
        var path: TreePath
        var source: ByteString
        var rootPath: TreePath
    }

    /// What most files of a walk have in common.
    private struct Aspect: Hashable {
        var state: SourceState.Common
        var change: MetadataChange
        var origin: PlanOrigin
    }

    private var records: [Record] = []
    private var text: [UInt8] = []
    private var places: [Place] = []
    private var aspects: [Aspect] = []
    private var aspectPlaces: [Aspect: UInt32] = [:]
    private var others: [PlannedEntry] = []

    init() {}

    init(_ entries: some Sequence<PlannedEntry>) { self += entries }
}

extension PlanEntries: RandomAccessCollection, ExpressibleByArrayLiteral {
    init(arrayLiteral elements: PlannedEntry...) { self.init(elements) }

    var startIndex: Int { 0 }
    var endIndex: Int { records.count }

    subscript(position: Int) -> PlannedEntry {
        let record = records[position]
        guard record.aspect != Self.other else { return others[Int(record.place)] }
        let (place, aspect) = (places[Int(record.place)], aspects[Int(record.aspect)])
        return text.withUnsafeBytes { text in
            let name = UnsafeRawBufferPointer(rebasing: text[nameRange(position)])
            // An array of bytes is made for each of the three, and nothing on the way.
            return PlannedEntry(
                place.path.appending(component: name),
                .file(
                    source: place.source.joined(name), SourceState(record.state, aspect.state), aspect.change),
                aspect.origin, rootPath: place.rootPath.appending(component: name))
        }
    }

    /// The state of the regular file of this machine that the entry at `position` is; nil for any other.
    func fingerprint(at position: Int) -> SourceFingerprint? {
        let record = records[position]
        guard record.aspect != Self.other else { return others[Int(record.place)].file?.state.fingerprint }
        return SourceState(record.state, aspects[Int(record.aspect)].state).fingerprint
    }

    /// Calls `body` with the parts of the path in the layer (see `TreePath.withParts`), and what it says of itself there, of a file that a
    /// walk found (see ``walkedSize(at:)``).
    func withWalkedFile<Result>(
        at position: Int, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer, Metadata) -> Result
    ) -> Result {
        let record = records[position]
        precondition(record.aspect != Self.other, "the entry at \(position) was found by no walk")
        var metadata = SourceState(record.state, aspects[Int(record.aspect)].state).metadata
        metadata.modified.nanoseconds = 0
        aspects[Int(record.aspect)].change.apply(to: &metadata)
        let path = places[Int(record.place)].path
        return path.bytes.bytes.withUnsafeBytes { directory in
            text.withUnsafeBytes { text in
                body(
                    UnsafeRawBufferPointer(rebasing: directory[..<(path.isRoot ? 0 : directory.count)]),
                    UnsafeRawBufferPointer(rebasing: text[nameRange(position)]), metadata)
            }
        }
    }

    /// The entry of the tree that such a file is.
    func entry(at position: Int, digest: Digest, _ size: UInt64) -> Entry {
        withWalkedFile(at: position) { directory, name, metadata in
            Entry(
                path: TreePath(directory: directory, name: name), metadata: metadata,
                kind: .file(digest: digest, size: size))
        }
    }

    /// Who wants the entry at `position`.
    func origin(at position: Int) -> PlanOrigin {
        let record = records[position]
        return record.aspect == Self.other ? others[Int(record.place)].origin : aspects[Int(record.aspect)].origin
    }

    /// The size of the file that a walk found; nil for any other entry.
    func walkedSize(at position: Int) -> UInt64? {
        records[position].aspect == Self.other ? nil : records[position].state.size
    }

    /// Which entries may be files whose names are wanted.
    func files(named isWanted: (UnsafeRawBufferPointer) -> Bool) -> [Int] {
        text.withUnsafeBytes { text in
            var result: [Int] = []
            var start = 0
            for (position, record) in records.enumerated() {
                let name = UnsafeRawBufferPointer(rebasing: text[start..<record.textEnd])
                start = record.textEnd
                let isFile =
                    record.aspect == Self.other ? others[Int(record.place)].file != nil : isWanted(name)
                if isFile { result.append(position) }
            }
            return result
        }
    }

    private func nameRange(_ position: Int) -> Range<Int> {
        (position == 0 ? 0 : records[position - 1].textEnd)..<records[position].textEnd
    }

    /// The sizes of all regular files of this machine, each path counted.
    var size: UInt64 {
        records.reduce(0) { total, record in
            total &+ (record.aspect != Self.other ? record.state.size : others[Int(record.place)].file?.state.size ?? 0)
        }
    }
}

extension PlanEntries {
    /// Which entries there are, in the order of their paths; of several with one path the first comes first.
    var order: [UInt32] {
        // All that is compared lies in two texts: what arrays of arrays cost in counting references is more than the comparing.
        var paths = JoinedPaths()
        let directories = places.map { place in paths.append(place.path.isRoot ? [] : place.path.bytes.bytes) }
        let nodes = others.map { entry in
            entry.path.withParts { (directory: paths.append(Array($0)), name: paths.append(Array($1))) }
        }
        return paths.text.withUnsafeBytes { paths in
            text.withUnsafeBytes { text in
                func compare(_ left: Int, _ right: Int) -> Int {
                    let (first, second) = (parts(left), parts(right))
                    return PathOrder.compare(first.directory, first.name, second.directory, second.name)
                }
                func parts(_ position: Int) -> (directory: UnsafeRawBufferPointer, name: UnsafeRawBufferPointer) {
                    let record = records[position]
                    if record.aspect == Self.other {
                        let node = nodes[Int(record.place)]
                        return (
                            UnsafeRawBufferPointer(rebasing: paths[node.directory]),
                            UnsafeRawBufferPointer(rebasing: paths[node.name])
                        )
                    }
                    return (
                        UnsafeRawBufferPointer(rebasing: paths[directories[Int(record.place)]]),
                        UnsafeRawBufferPointer(rebasing: text[nameRange(position)])
                    )
                }
                return (0..<UInt32(records.count)).sorted { left, right in
                    let order = compare(Int(left), Int(right))
                    return order == 0 ? left < right : order < 0
                }
            }
        }
    }

    /// Paths, or parts of them, one after the other.
    private struct JoinedPaths {
        private(set) var text: [UInt8] = []

        /// - Returns: where it lies.
        mutating func append(_ path: [UInt8]) -> Range<Int> {
            let start = text.count
            text.append(contentsOf: path)
            return start..<text.count
        }
    }
}

extension PlanEntries {
    mutating func append(_ entry: PlannedEntry) {
        guard case .file(let source, let state, let change) = entry.content, let rootPath = entry.rootPath,
            let place = place(of: entry.path, source, rootPath)
        else {
            records.append(Record(state: .none, textEnd: text.count, place: UInt32(others.count), aspect: Self.other))
            others.append(entry)
            return
        }
        let aspect = aspect(Aspect(state: state.common, change: change, origin: entry.origin))
        entry.path.withParts { text.append(contentsOf: $1) }
        records.append(Record(state: state.own, textEnd: text.count, place: place, aspect: aspect))
    }

    /// Files that lie in one directory under their own names.
    struct Files: Sendable {
        /// In the layer.
        var path: TreePath
        /// On this machine, without a slash at its end.
        var source: ByteString
        /// In the root that it comes from.
        var rootPath: TreePath
        var files: [(name: ByteString, state: SourceState)] = []
    }

    /// The same as appending each of `found` by itself.
    mutating func append(_ found: Files, _ change: MetadataChange, _ origin: PlanOrigin) {
        if found.files.isEmpty { return }
        let place = UInt32(places.count)
        places.append(Place(path: found.path, source: found.source, rootPath: found.rootPath))
        for (name, state) in found.files {
            let aspect = aspect(Aspect(state: state.common, change: change, origin: origin))
            text.append(contentsOf: name.bytes)
            records.append(Record(state: state.own, textEnd: text.count, place: place, aspect: aspect))
        }
    }

    static func += (entries: inout PlanEntries, added: some Sequence<PlannedEntry>) {
        if entries.isEmpty, let added = added as? PlanEntries {
            entries = added
        } else {
            for entry in added { entries.append(entry) }
        }
    }

    /// Puts another entry in the place of a directory, link or other node.
    mutating func replace(_ position: Int, by entry: PlannedEntry) {
        precondition(records[position].aspect == Self.other, "a file is not replaced")
        others[Int(records[position].place)] = entry
    }

    private mutating func aspect(_ aspect: Aspect) -> UInt32 {
        // Neighbours have the same mostly.
        if let last = records.last, last.aspect != Self.other, aspects[Int(last.aspect)] == aspect {
            return last.aspect
        }
        if let place = aspectPlaces[aspect] { return place }
        let place = UInt32(aspects.count)
        aspects.append(aspect)
        aspectPlaces[aspect] = place
        return place
    }

    /// The place of a file's directories; nil when the file has not the same name in all of them.
    private mutating func place(of path: TreePath, _ source: ByteString, _ rootPath: TreePath) -> UInt32? {
        guard !path.isRoot, !rootPath.isRoot else { return nil }
        if let last = places.last, path.isDirectly(in: last.path), rootPath.isDirectly(in: last.rootPath) {
            let lies = path.withParts { _, name in
                rootPath.withParts { _, rootName in
                    ByteComparison.areEqual(name, rootName) && source.isJoined(last.source, name)
                }
            }
            if lies { return UInt32(places.count - 1) }
        }
        let name = path.name
        guard rootPath.name == name, source.hasSuffix("/" + name) else { return nil }
        let directory = ByteString(Array(source.bytes.dropLast(name.count + 1)))
        places.append(Place(path: path.parent, source: directory, rootPath: rootPath.parent))
        return UInt32(places.count - 1)
    }
}

extension ByteString {
    /// This directory, a slash and `name`.
    fileprivate func joined(_ name: UnsafeRawBufferPointer) -> ByteString {
        bytes.withUnsafeBytes { TreePath(directory: $0, name: name).bytes }
    }

    /// Whether this is `directory`, a slash and `name`.
    fileprivate func isJoined(_ directory: ByteString, _ name: UnsafeRawBufferPointer) -> Bool {
        guard count == directory.count + 1 + name.count else { return false }
        return bytes.withUnsafeBytes { all in
            directory.bytes.withUnsafeBytes { directory in
                ByteComparison.areEqual(UnsafeRawBufferPointer(rebasing: all[..<directory.count]), directory)
                    && all[directory.count] == UInt8(ascii: "/")
                    && ByteComparison.areEqual(UnsafeRawBufferPointer(rebasing: all[(directory.count + 1)...]), name)
            }
        }
    }
}
