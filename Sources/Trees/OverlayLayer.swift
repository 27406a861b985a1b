public import Bytes

extension Tree {
    /// A contribution as a directory of its own that overlayfs can stack (Documentation/filesystems/overlayfs.rst, Whiteouts and opaque
    /// directories): a whiteout becomes a character device 0:0, and a directory that takes the place of what lies below is opaque.
    ///
    /// - Parameters:
    ///   - entries: of a ``Composition/Contribution``, or of a ``LayerMerge/Group``.
    ///   - root: the entry `/`.
    /// - Throws: ``TreeError`` when the entries make no tree.
    public init(overlayLayer entries: some Collection<Entry>, root: Entry) throws(TreeError) {
        let whiteouts = Set(entries.lazy.filter { $0.kind == .whiteout }.map(\.path))
        var directories: Set<TreePath> = [.root]
        var others: Set<TreePath> = []
        var result: Entries = [root]
        for var entry in entries where entry.kind != .whiteout {
            if entry.isDirectory {
                directories.insert(entry.path)
                if whiteouts.contains(entry.path) { entry.metadata = entry.metadata.opaque }
            } else {
                others.insert(entry.path)
            }
            result.append(entry)
        }
        // What this layer itself puts in the place hides what is below, and so does what it has in place of the directory.
        for path in whiteouts where directories.contains(path.parent) {
            guard !directories.contains(path), !others.contains(path) else { continue }
            let kind = Entry.Kind.characterDevice(major: 0, minor: 0)
            result.append(Entry(path: path, metadata: Metadata(mode: 0), kind: kind))
        }
        try self.init(result)
    }

    /// The first extended attribute that overlayfs would take for its own and not show; nil when there is none.
    public var overlayAttribute: (path: TreePath, name: ByteString)? {
        for entry in entries {
            for attribute in entry.metadata.extendedAttributes where attribute.name.hasPrefix("trusted.overlay.") {
                return (entry.path, attribute.name)
            }
        }
        return nil
    }
}

extension Metadata {
    /// The same of a directory that hides all that lies below it.
    fileprivate var opaque: Metadata {
        Metadata(
            mode: mode, uid: uid, gid: gid, modified: modified,
            extendedAttributes: extendedAttributes + [ExtendedAttribute(name: "trusted.overlay.opaque", value: "y")])
    }
}
