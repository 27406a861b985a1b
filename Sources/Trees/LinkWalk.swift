public import Bytes

/// Follows symbolic links inside a tree, as the kernel would with the tree as its root (path_resolution(7)).
enum LinkWalk {
    /// The directory that `names` lead to, one after the other, from the directory `start`; nil when there is none.
    ///
    /// - Parameter kind: what lies at a path; nil for nothing.
    static func directory(
        from start: TreePath, _ names: [ByteString], kind: (TreePath) -> Entry.Kind?
    ) -> TreePath? {
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
                if linksLeft < 0 { return nil }
                if target.bytes.first == UInt8(ascii: "/") { place = .root }
                pending.append(contentsOf: target.split(on: UInt8(ascii: "/")).reversed())
            default: return nil
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
}
