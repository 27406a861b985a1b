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
        if Self.isNormal(path) {
            bytes = path
            return
        }
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

    /// The path of the parts that ``withParts(_:)`` gave of it.
    package init(directory: UnsafeRawBufferPointer, name: UnsafeRawBufferPointer) {
        let count = directory.count + 1 + name.count
        bytes = ByteString(
            [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                let path = UnsafeMutableRawBufferPointer(buffer)
                path.copyMemory(from: directory)
                path[directory.count] = UInt8(ascii: "/")
                UnsafeMutableRawBufferPointer(rebasing: path[(directory.count + 1)...]).copyMemory(from: name)
                initialized = count
            })
    }

    /// The path of `name`, the name of an entry of another path, in this directory.
    package func appending(component name: UnsafeRawBufferPointer) -> TreePath {
        bytes.bytes.withUnsafeBytes { path in
            TreePath(directory: isRoot ? UnsafeRawBufferPointer(rebasing: path[..<0]) : path, name: name)
        }
    }

    /// Calls `body` with what lies before the last slash, which is empty for what lies in the root, and with ``name``; both are valid
    /// only meanwhile.
    package func withParts<Result>(
        _ body: (_ directory: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let slash = lastSlash
        return bytes.bytes.withUnsafeBytes { path in
            body(
                UnsafeRawBufferPointer(rebasing: path[..<slash]),
                UnsafeRawBufferPointer(rebasing: path[(slash + 1)...]))
        }
    }

    /// Whether an absolute path without NUL has no component that is empty, `.` or `..`; then it is kept as it is.
    private static func isNormal(_ path: ByteString) -> Bool {
        path.bytes.withUnsafeBufferPointer { bytes in
            if bytes.count == 1 { return true }
            // How long the component is so far, and whether it has nothing but dots.
            var (length, isDots) = (0, true)
            for byte in bytes.dropFirst() {
                if byte == UInt8(ascii: "/") {
                    if length == 0 || isDots && length <= 2 { return false }
                    (length, isDots) = (0, true)
                } else {
                    length += 1
                    if byte != UInt8(ascii: ".") { isDots = false }
                }
            }
            return length > 0 && !(isDots && length <= 2)
        }
    }

    public var isRoot: Bool { bytes.count == 1 }

    /// The names between the slashes; empty for the root.
    public var components: [ByteString] {
        bytes.bytes.split(separator: UInt8(ascii: "/")).map { ByteString($0) }
    }

    /// The last component; empty for the root.
    public var name: ByteString {
        ByteString(bytes.bytes[(lastSlash + 1)...])
    }

    /// Whether a name in this path begins with `prefix`.
    public func hasComponent(withPrefix prefix: ByteString) -> Bool {
        bytes.bytes.withUnsafeBufferPointer { bytes in
            prefix.bytes.withUnsafeBufferPointer { prefix in
                bytes.indices.contains { slash in
                    bytes[slash] == UInt8(ascii: "/") && bytes.count - slash > prefix.count
                        && UnsafeBufferPointer(rebasing: bytes[(slash + 1)...].prefix(prefix.count)).elementsEqual(
                            prefix)
                }
            }
        }
    }

    /// How many bytes the longest name in this path has.
    public var longestComponent: Int {
        bytes.bytes.withUnsafeBufferPointer { bytes in
            var (longest, length) = (0, 0)
            for byte in bytes {
                length = byte == UInt8(ascii: "/") ? 0 : length + 1
                longest = max(longest, length)
            }
            return longest
        }
    }

    /// Whether ``name`` begins with `prefix`; without making the name.
    public func nameHasPrefix(_ prefix: ByteString) -> Bool {
        let start = lastSlash + 1
        return bytes.bytes.withUnsafeBufferPointer { bytes in
            prefix.bytes.withUnsafeBufferPointer { prefix in
                bytes.count - start >= prefix.count
                    && UnsafeBufferPointer(rebasing: bytes[start..<(start + prefix.count)]).elementsEqual(prefix)
            }
        }
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
        let length = isRoot ? 0 : bytes.count
        var path: [UInt8] = []
        path.reserveCapacity(length + 1 + name.count)
        path.append(contentsOf: bytes.bytes.prefix(length))
        path.append(UInt8(ascii: "/"))
        path.append(contentsOf: name.bytes)
        return TreePath(unchecked: ByteString(path))
    }

    /// The path without its leading slash, as `*at` calls and tar headers want it; empty for the root.
    public var relative: ByteString { ByteString(bytes.bytes.dropFirst()) }

    /// Whether this path is `other` or lies below it.
    public func isWithin(_ other: TreePath) -> Bool {
        other.isRoot || self == other
            || (bytes.count > other.bytes.count && bytes.bytes[other.bytes.count] == UInt8(ascii: "/")
                && bytes.hasPrefix(other.bytes))
    }

    /// Whether `directory` is the parent of this path, which is not the root; without making the parent.
    public func isDirectly(in directory: TreePath) -> Bool {
        lastSlash == (directory.isRoot ? 0 : directory.bytes.count)
            && (directory.isRoot || bytes.hasPrefix(directory.bytes))
    }

    /// Whether `name` can be one component of a path.
    public static func isComponent(_ name: ByteString) -> Bool {
        name.bytes.withUnsafeBufferPointer { bytes in
            var isDots = bytes.count <= 2
            for byte in bytes {
                if byte == UInt8(ascii: "/") || byte == 0 { return false }
                if byte != UInt8(ascii: ".") { isDots = false }
            }
            return !isDots
        }
    }

    private var lastSlash: Int {
        bytes.bytes.withUnsafeBufferPointer { bytes in
            var index = bytes.count - 1
            while index > 0, bytes[index] != UInt8(ascii: "/") { index -= 1 }
            return index
        }
    }
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
