public import Bytes
import Posix

/// A link of the alternatives system (update-alternatives(1)): ``link`` leads to `/etc/alternatives/` ``name``, and that to
/// the file of one of several packages.
public struct Alternative: Hashable, Sendable {
    public var name: ByteString
    public var link: TreePath

    public init(name: ByteString, link: TreePath) { (self.name, self.link) = (name, link) }
}

extension DpkgDatabase {
    /// All links of the alternatives system, slaves too, as its database has them; sorted by link. What they lead to is for
    /// the disk to say.
    ///
    /// - Throws: ``PackageDatabaseError`` when the database is there and cannot be opened.
    public func alternatives() throws(PackageDatabaseError) -> [Alternative] {
        do throws(SystemError) {
            let root = try Files.open(root, [.path, .directory])
            guard let groups = try root.openInRoot("var/lib/dpkg/alternatives", directory: true) else { return [] }
            var names: [ByteString] = []
            try groups.forEachEntry(withSuffix: "") { names.append($0) }
            let reader = LineReader()
            var result: [Alternative] = []
            for name in names where TreePath.isComponent(name) {
                guard let group = groups.openEntry(name) else { continue }
                result += Self.alternatives(of: group, named: name, reader)
            }
            return result.sorted { $0.link < $1.link }
        } catch {
            throw .unreadable(error)
        }
    }

    /// A group's file: `auto` or `manual`, the master's link, then name and link of each slave, and an empty line.
    private static func alternatives(
        of group: borrowing OwnedDescriptor, named name: ByteString, _ reader: borrowing LineReader
    ) -> [Alternative] {
        var lines: [ByteString] = []
        var isHeader = true
        reader.forEachLine(of: group) { line in
            if line.isEmpty { isHeader = false }
            if isHeader, lines.count < 10_000 { lines.append(ByteString(line)) }
        }
        guard lines.count > 1 else { return [] }
        lines[0] = name
        return stride(from: 0, to: lines.count - 1, by: 2).compactMap { index in
            guard TreePath.isComponent(lines[index]), let link = try? TreePath(lines[index + 1]) else { return nil }
            return Alternative(name: lines[index], link: link)
        }
    }
}
