/// A path inside a root: absolute, and without empty, `.` or `..` components.
///
/// A `TreePath` names a place in a ``Tree`` or in a root being searched; it never names a file of the machine by
/// itself. Since it holds no `..`, joining it to a directory descriptor cannot leave that directory by its text.
public struct TreePath: Hashable, Sendable {
    /// The path with its leading slash: `/` or `/usr/bin`.
    public let bytes: ByteString

    /// The root itself.
    public static let root = TreePath(unchecked: "/")

    /// - Throws: ``TreePathError`` when `path` is relative, has a NUL, or has a `..` component. Repeated and
    ///   trailing slashes and `.` components are dropped.
    public init(_ path: ByteString) throws(TreePathError) {
        guard path.bytes.first == UInt8(ascii: "/") else { throw .relative(path) }
        guard !path.contains(0) else { throw .containsNUL(path) }
        var normal: [UInt8] = []
        for component in path.bytes.split(separator: UInt8(ascii: "/")) {
            if component.elementsEqual(".".utf8) { continue }
            if component.elementsEqual("..".utf8) { throw .parentComponent(path) }
            normal.append(UInt8(ascii: "/"))
            normal.append(contentsOf: component)
        }
        bytes = normal.isEmpty ? "/" : ByteString(normal)
    }

    private init(unchecked bytes: ByteString) { self.bytes = bytes }

    public var isRoot: Bool { bytes.count == 1 }

    /// The names between the slashes; empty for the root.
    public var components: [ByteString] {
        bytes.bytes.split(separator: UInt8(ascii: "/")).map { ByteString($0) }
    }

    /// The last component; empty for the root.
    public var name: ByteString {
        ByteString(bytes.bytes[(lastSlash + 1)...])
    }

    /// The directory that holds this path; the root is its own parent.
    public var parent: TreePath {
        lastSlash == 0 ? .root : TreePath(unchecked: ByteString(bytes.bytes[..<lastSlash]))
    }

    /// The path of `name` in this directory.
    ///
    /// - Precondition: `name` is one component: not empty, not `.` or `..`, without slash and NUL.
    public func appending(_ name: ByteString) -> TreePath {
        precondition(Self.isComponent(name), "not one path component: \(name)")
        return TreePath(unchecked: isRoot ? "/" + name : bytes + "/" + name)
    }

    /// The path without its leading slash, as `*at` calls and tar headers want it; empty for the root.
    public var relative: ByteString { ByteString(bytes.bytes.dropFirst()) }

    /// Whether this path is `other` or lies below it.
    public func isWithin(_ other: TreePath) -> Bool {
        other.isRoot || self == other
            || (bytes.count > other.bytes.count && bytes.bytes[other.bytes.count] == UInt8(ascii: "/")
                && bytes.hasPrefix(other.bytes))
    }

    /// Whether `name` can be one component of a path.
    public static func isComponent(_ name: ByteString) -> Bool {
        !name.isEmpty && name != "." && name != ".." && !name.contains(UInt8(ascii: "/")) && !name.contains(0)
    }

    private var lastSlash: Int { bytes.bytes.lastIndex(of: UInt8(ascii: "/")) ?? 0 }
}

extension TreePath: Comparable {
    /// Bytewise order of the whole path: a directory comes before everything in it.
    public static func < (left: TreePath, right: TreePath) -> Bool { left.bytes < right.bytes }
}

extension TreePath: CustomStringConvertible {
    public var description: String { bytes.description }
}

/// Why bytes are not a ``TreePath``.
public enum TreePathError: Error, Hashable, CustomStringConvertible {
    case relative(ByteString)
    case containsNUL(ByteString)
    case parentComponent(ByteString)

    public var description: String {
        switch self {
        case .relative(let path): "path is not absolute: \(path)"
        case .containsNUL(let path): "path contains a NUL byte: \(path)"
        case .parentComponent(let path): "path contains '..': \(path)"
        }
    }
}
