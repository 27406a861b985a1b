import Bytes
import Trees

/// Follows links inside a tree, as the kernel would with the tree as its root.
struct TreeWalk {
    private let tree: Tree

    init(_ tree: Tree) { self.tree = tree }

    /// Where `path` lies once the links of its directories are followed, a link at its end not; nil when they lead nowhere.
    func place(of path: TreePath) -> TreePath? {
        path.isRoot ? path : directory(path.parent)?.appending(path.name)
    }

    private func directory(_ path: TreePath) -> TreePath? {
        var place = TreePath.root
        var pending = Array(path.components.reversed())
        var linksLeft = 40  // as the kernel (path_resolution(7))
        while let name = pending.popLast() {
            if name.isEmpty || name == "." { continue }
            if name == ".." {
                place = place.parent
                continue
            }
            let next = place.appending(name)
            switch tree[next]?.kind {
            case .directory: place = next
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
