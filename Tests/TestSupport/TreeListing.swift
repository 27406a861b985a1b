/// A directory tree as GNU find and sha256sum see it: each path below it with its type, mode, owner, time of modification
/// in whole seconds, content and link target.
///
/// The directory itself is left out: an image says nothing of its root.
public struct TreeListing: Equatable, Sendable {
    /// By path, relative to the tree.
    public private(set) var entries: [String: String] = [:]
    /// The regular files' SHA-256, by path.
    public private(set) var digests: [String: String] = [:]

    /// - Parameter directoryTimes: false where making and removing a temporary file in a directory is no change of it.
    public init(_ root: String, directoryTimes: Bool = true) throws {
        let format = ["%y %m %U:%G ", "%Ts", " %l\\0%P\\0"]
        let noTime = directoryTimes ? [] : ["-type", "d", "-printf", format[0] + format[2], "-o"]
        let fields = try Tool.succeed("find", [root, "-mindepth", "1"] + noTime + ["-printf", format.joined()]).output
            .split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        for index in stride(from: 0, to: fields.count - 1, by: 2) { entries[fields[index + 1]] = fields[index] }
        let sums = try Tool.succeed("find", [root, "-type", "f", "-exec", "sha256sum", "--zero", "{}", "+"]).output
        for sum in sums.split(separator: 0).map({ String(decoding: $0, as: UTF8.self) }) {
            // "digest  path"
            let path = String(sum.dropFirst(64 + 2 + root.count + 1))
            digests[path] = String(sum.prefix(64))
            entries[path]?.append(digests[path] ?? "")
        }
    }

    /// What `other` has differently, one line for each path; empty when the trees are equal.
    public func differences(from other: TreeListing) -> [String] {
        Set(entries.keys).union(other.entries.keys).sorted().compactMap { path in
            let (mine, theirs) = (entries[path], other.entries[path])
            return mine == theirs ? nil : "\(path): \(mine ?? "absent") instead of \(theirs ?? "absent")"
        }
    }
}
