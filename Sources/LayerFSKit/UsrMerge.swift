import Bytes
import Posix
import SystemPackage

/// The links by which a merged system keeps its old top-level directories (file-hierarchy(7), Compatibility Symlinks).
enum UsrMerge {
    /// One such link.
    struct Link: Sendable {
        var path: TreePath
        var target: ByteString
        /// What it leads to.
        var directory: TreePath
    }

    private static let names: [ByteString] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]

    /// The links that the root at `root` has.
    static func links(of root: ByteString) throws(SystemError) -> [Link] {
        let directory = try Files.open(root, [.path, .directory])
        var links: [Link] = []
        for name in names {
            guard try directory.contains(name), try directory.status(of: name).kind == .symlink else { continue }
            let target = try directory.linkTarget(of: name)
            let absolute = target.bytes.first == UInt8(ascii: "/") ? target : "/" + target
            guard let place = try? TreePath(absolute) else { continue }
            links.append(Link(path: TreePath.root.appending(name), target: target, directory: place))
        }
        return links
    }

    /// The directory that `path` leads to through `links`: `/usr/lib/x` for `/lib/x`.
    static func place(of path: TreePath, _ links: [Link]) -> TreePath {
        guard let link = links.first(where: { path.isWithin($0.path) }) else { return path }
        return path.components.dropFirst(link.path.components.count).reduce(link.directory) { $0.appending($1) }
    }
}
