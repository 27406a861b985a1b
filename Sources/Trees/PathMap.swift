public import Bytes

/// Values by path, from which a directory and all below it can be removed at the cost of what is removed.
///
/// Closed under parents but for the root: whatever has a value lies in directories that have one.
public struct PathMap<Value> {
    /// All of it.
    public private(set) var values: [TreePath: Value]
    /// What lies directly in each directory. Made when something is removed for the first time: most trees lose nothing.
    private var children: [TreePath: Set<TreePath>]?

    public init(_ values: [TreePath: Value] = [:]) { self.values = values }

    public subscript(path: TreePath) -> Value? { values[path] }

    /// Gives `path` a value, in the place of any that it has.
    public mutating func set(_ path: TreePath, _ value: Value) {
        guard values.updateValue(value, forKey: path) == nil, !path.isRoot else { return }
        children?[path.parent, default: []].insert(path)
    }

    /// What lies directly in `directory`, in no order.
    public mutating func children(of directory: TreePath) -> Set<TreePath> {
        if let children { return children[directory] ?? [] }
        var all: [TreePath: Set<TreePath>] = [:]
        for path in values.keys where !path.isRoot { all[path.parent, default: []].insert(path) }
        children = all
        return all[directory] ?? []
    }

    /// Removes `path` and all below it.
    ///
    /// - Parameter body: called with each path that is removed, directories before what is in them.
    /// - Returns: how many paths were looked at.
    @discardableResult
    public mutating func remove(_ path: TreePath, _ body: (TreePath) -> Void = { _ in }) -> Int {
        guard values[path] != nil else { return 1 }
        _ = children(of: path)
        children?[path.parent]?.remove(path)
        var (pending, count) = ([path], 0)
        while let next = pending.popLast() {
            count += 1
            values[next] = nil
            body(next)
            if let below = children?.removeValue(forKey: next) { pending += below }
        }
        return count
    }
}

extension PathMap: Sendable where Value: Sendable {}
