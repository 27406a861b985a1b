public import Bytes

/// Follows symbolic links inside a tree, as the kernel would with the tree as its root (path_resolution(7)).
public enum LinkWalk {
    /// Why names lead to no directory.
    public enum Obstacle: Error, Hashable {
        case tooManyLinks
        /// Nothing lies there, or no directory.
        case noDirectory(TreePath)
    }

    /// The directory that `names` lead to, one after the other, from the directory `start`; nil when there is none.
    ///
    /// - Parameter kind: what lies at a path; nil for nothing.
    static func directory(
        from start: TreePath, _ names: [ByteString], kind: (TreePath) -> Entry.Kind?
    ) -> TreePath? {
        try? place(from: start, names, kind: kind)
    }

    /// The directory that `names` lead to, one after the other, from the directory `start`.
    ///
    /// - Parameter kind: what lies at a path, or is taken to; nil for nothing.
    public static func place(
        from start: TreePath, _ names: [ByteString], kind: (TreePath) -> Entry.Kind?
    ) throws(Obstacle) -> TreePath {
        var place = start
        var pending = Array(names.reversed())
        var linksLeft = 40  // as the kernel
        while let name = pending.popLast() {
            if name.isEmpty || name == "." { continue }
            if name == ".." {
                place = place.parent
                continue
            }
            let path = place.appending(name)
            switch kind(path) {
            case .directory: place = path
            case .symlink(let target):
                linksLeft -= 1
                if linksLeft < 0 { throw .tooManyLinks }
                if target.bytes.first == UInt8(ascii: "/") { place = .root }
                pending.append(contentsOf: target.split(on: UInt8(ascii: "/")).reversed())
            default: throw .noDirectory(path)
            }
        }
        return place
    }
}

extension Tree {
    /// Where `path` lies once the links of its directories are followed, a link at its end not; nil when they lead nowhere.
    public func place(of path: TreePath) -> TreePath? {
        if path.isRoot { return path }
        return LinkWalk.directory(from: .root, path.parent.components) { self[$0]?.kind }?.appending(path.name)
    }

    /// The entry that `path` leads to, a link at its end followed too; nil when it leads nowhere.
    public func destination(of path: ByteString) -> Entry? {
        var (start, pending) = (TreePath.root, path)
        for _ in 0...40 {  // as the kernel
            var names = pending.split(on: UInt8(ascii: "/"))
            while names.last?.isEmpty == true { names.removeLast() }
            guard let last = names.popLast() else { return self[start] }
            guard let directory = LinkWalk.directory(from: start, names, kind: { self[$0]?.kind }) else { return nil }
            if last == "." { return self[directory] }
            if last == ".." { return self[directory.parent] }
            guard let entry = self[directory.appending(last)] else { return nil }
            guard case .symlink(let target) = entry.kind else { return entry }
            start = target.bytes.first == UInt8(ascii: "/") ? .root : directory
            pending = target
        }
        return nil
    }
}
