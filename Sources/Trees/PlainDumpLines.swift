import Bytes
import Digests

/// Writes lines of packed entries that have no attributes, as ``DumpLine`` does.
struct PlainDumpLines {
    private let entries: PackedEntries
    /// Of each aspect, its fields before and behind the number of links, where they were written before.
    private var fields: [(before: [UInt8], behind: [UInt8])]

    init(_ entries: PackedEntries) {
        self.entries = entries
        fields = Array(repeating: ([], []), count: entries.aspects.count)
    }

    /// - Parameters:
    ///   - subdirectories: as ``DumpLine/init(_:subdirectories:)`` takes it.
    ///   - time: that of the entry, or what is to stand for it.
    /// - Returns: false for an entry of another kind, of which nothing is written.
    mutating func write(_ index: Int, subdirectories: Int, time: Timestamp, to output: inout [UInt8]) -> Bool {
        let place = Int(entries.records[index].aspect)
        if fields[place].before.isEmpty { prepare(place) }
        if fields[place].before.isEmpty { return false }
        let kind = entries.aspects[place].kind
        let space = UInt8(ascii: " ")
        entries.withParts(index) { directory, name in
            DumpField.escapeRaw(directory, to: &output)
            output.append(UInt8(ascii: "/"))
            DumpField.escapeRaw(name, to: &output)
        }
        output.append(space)
        DumpNumber.write(kind == .directory ? 0 : entries.records[index].size, to: &output)
        output.append(contentsOf: fields[place].before)
        DumpNumber.write(UInt64(kind == .directory ? 2 + subdirectories : 1), to: &output)
        output.append(contentsOf: fields[place].behind)
        DumpNumber.write(time.seconds, to: &output)
        output.append(UInt8(ascii: "."))
        DumpNumber.write(UInt64(time.nanoseconds), to: &output)
        output.append(space)
        switch kind {
        case .file where entries.records[index].size > 0: BlobPath.append(entries.records[index].digest, to: &output)
        case .symlink: entries.withTarget(index) { DumpField.escape($0, to: &output) }
        default: output.append(UInt8(ascii: "-"))
        }
        output.append(contentsOf: Self.end)
        return true
    }

    private static let end = Array(" - -\n".utf8)

    /// Writes the fields of an aspect, unless it is one of entries that are left to ``DumpLine``.
    private mutating func prepare(_ place: Int) {
        let aspect = entries.aspects[place]
        guard aspect.extendedAttributes.isEmpty else { return }
        let type: UInt64
        switch aspect.kind {
        case .directory: type = 0o040000
        case .file: type = 0o100000
        case .symlink: type = 0o120000
        default: return
        }
        var (before, behind) = ([UInt8(ascii: " ")], [UInt8(ascii: " ")])
        DumpNumber.write(type | UInt64(aspect.mode), radix: 8, to: &before)
        before.append(UInt8(ascii: " "))
        for number in [UInt64(aspect.uid), UInt64(aspect.gid), 0] {
            DumpNumber.write(number, to: &behind)
            behind.append(UInt8(ascii: " "))
        }
        fields[place] = (before, behind)
    }
}
