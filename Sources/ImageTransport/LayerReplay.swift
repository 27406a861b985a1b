import Bytes
import Digests
import Tar
import Trees

/// Applies the members of layers one after the other, in memory, as a container engine does on disk (image-spec,
/// layer.md, Applying Changesets): the paths that a container made from the image would see.
///
/// A member that lies behind a symbolic link lands where the link leads inside the image, as engines that resolve below the root
/// do it; nothing ever leads out of it. What no engine could apply is refused.
struct LayerReplay {
    /// What the layers so far make, where that is not one list; closed under parents but for the root.
    private var union = PathMap<Entry>()
    /// The only layer so far; nil where there are several, or one that was no list in order.
    private var only: LayerListing?
    /// The first layer, as long as its members come in order.
    private var listing: LayerListing? = LayerListing()
    private var changes = LayerChanges()

    /// What the layers so far make, sorted, in little memory.
    var sortedEntries: Tree.Entries { only?.entries ?? Tree.Entries(union.values.values).sorted }

    /// The same by path.
    var entries: [TreePath: Entry] {
        only.map { Dictionary(uniqueKeysWithValues: $0.entries.lazy.map { ($0.path, $0) }) } ?? union.values
    }

    /// Adds a member of the current layer; `digest` is that of its content.
    ///
    /// - Throws: ``TransportError/invalidLayer(member:reason:)``.
    mutating func add(_ header: TarHeader, digest: Digest) throws(TransportError) {
        func invalid(_ reason: String) -> TransportError { .invalidLayer(member: header.name, reason: reason) }
        let member = try LayerMember(header)
        if listing != nil {
            if try addInOrder(member, header, digest) { return }
        } else if only != nil {
            endListing()
        }
        switch member {
        case .ignored: return
        case .opaque(let directory): changes.makeOpaque(try locate(directory, member: header.name))
        case .whiteout(let path): changes.remove(try place(of: path, member: header.name))
        case .entry(let path):
            let entry = try entry(header, digest: digest, at: place(of: path, member: header.name))
            guard changes.put(entry) else { throw invalid("is one of too many that take the place of directories") }
        }
        guard changes.count <= Self.entryLimit else { throw invalid("is one of more than \(Self.entryLimit)") }
    }

    /// Adds a member of the first layer to the list of them. One that does not continue it ends the list.
    ///
    /// - Returns: whether there is nothing left to do.
    private mutating func addInOrder(
        _ member: LayerMember, _ header: TarHeader, _ digest: Digest
    ) throws(TransportError) -> Bool {
        switch member {
        case .ignored: return true
        case .entry(let path) where listing?.canAppend(path) == true:
            if case .hardLink = header.kind { break }
            let next = try entry(header, digest: digest, at: path)
            listing?.append(next)
            guard (listing?.entries.count ?? 0) <= Self.listLimit else {
                throw .invalidLayer(member: header.name, reason: "is one of more than \(Self.listLimit)")
            }
            return true
        default: break
        }
        endListing()
        return false
    }

    /// From now on members are looked up by their paths.
    private mutating func endListing() {
        for entry in listing?.entries ?? [] { _ = changes.put(entry) }
        listing = nil
        for entry in only?.entries ?? [] { union.set(entry.path, entry) }
        only = nil
    }

    /// Adds an entry of a layer whose tree is known, as it is.
    mutating func add(_ entry: Entry) {
        if entry.kind != .whiteout, listing?.canAppend(entry.path) == true {
            listing?.append(entry)
            return
        }
        endListing()
        guard entry.kind == .whiteout else { return _ = changes.put(entry) }
        if entry.isOpaqueMarker { changes.makeOpaque(entry.path.parent) } else { changes.remove(entry.path) }
    }

    /// Adds a whole layer whose entries are known, as they are.
    mutating func add(layer entries: some Sequence<Entry>) throws(TreeError) {
        for entry in entries { add(entry) }
        try endLayer()
    }

    /// Ends the current layer: removes what it removes from below, and adds what it adds.
    ///
    /// - Returns: the layer as a tree of its own. Directories that it does not have, but things in them, are as the layers below
    ///   have them; else root's, mode 0755.
    @discardableResult
    mutating func endLayer() throws(TreeError) -> Tree {
        if let whole = listing {
            (listing, only) = (nil, whole)
            return try Tree(whole.withRoot)
        }
        endListing()
        // Not added to the dictionary: it would be copied.
        let layer = changes.entries(below: union.values)
        let root = layer[.root] == nil ? [union[.root] ?? Tree.empty.entries[0]] : []
        let tree = try Tree(root + layer.values)
        changes.changeset.hide(in: &union, isDirectory: \.isDirectory)
        for entry in tree.entries where entry.kind != .whiteout && (!entry.path.isRoot || changes.added[.root] != nil) {
            union.set(entry.path, entry)
        }
        changes = LayerChanges()
        return tree
    }

    // MARK: Members

    /// How many paths a layer may have, which takes some 500 bytes of memory for each.
    static let entryLimit = 2_000_000
    /// How many where they come in order, as those that layerfs writes: some 100 bytes.
    static let listLimit = 8_000_000

    private func entry(_ header: TarHeader, digest: Digest, at path: TreePath) throws(TransportError) -> Entry {
        func invalid(_ reason: String) -> TransportError { .invalidLayer(member: header.name, reason: reason) }
        let kind: Entry.Kind
        switch header.kind {
        case .file(let size): kind = .file(digest: digest, size: size)
        case .symlink(let target):
            guard target.count < 4096 else { throw invalid("is a link whose target is too long for Linux") }
            kind = .symlink(target: target)
        case .characterDevice(0, 0): throw invalid("is the device 0:0, which means a whiteout to union file systems")
        case .characterDevice(let major, let minor): kind = .characterDevice(major: major, minor: minor)
        case .blockDevice(let major, let minor): kind = .blockDevice(major: major, minor: minor)
        case .directory: kind = .directory
        case .fifo: kind = .fifo
        case .hardLink(let target):
            let origin = try LayerMember.path(of: target, member: header.name)
            guard !origin.isRoot, origin != path, let linked = visible(try place(of: origin, member: header.name)),
                !linked.isDirectory, linked.path != path
            else { throw invalid("is a hard link to nothing") }
            return Entry(path: path, metadata: linked.metadata, kind: linked.kind)
        case .other: throw invalid("is of a type that no image may have")
        }
        if path.isRoot, kind != .directory { throw invalid("would replace the root") }
        for attribute in header.extendedAttributes {
            let isOverlays = ["trusted.overlay.", "user.overlay."].contains { attribute.name.hasPrefix($0) }
            if isOverlays { throw invalid("has the attribute \(attribute.name), which belongs to a union file system") }
        }
        let metadata = Metadata(
            mode: header.mode, uid: header.uid, gid: header.gid,
            modified: Timestamp(seconds: header.modified, nanoseconds: header.nanoseconds),
            extendedAttributes: header.extendedAttributes.map { ExtendedAttribute(name: $0.name, value: $0.value) })
        return Entry(path: path, metadata: metadata, kind: kind)
    }

    // MARK: Links

    /// What lies at `path` now; nil for nothing.
    private func visible(_ path: TreePath) -> Entry? {
        if let entry = changes.added[path] { return entry }
        return changes.changeset.shows(path) ? union[path] : nil
    }

    /// Where `path` lies once the links of its directories are followed, a link at its end not.
    private func place(of path: TreePath, member: ByteString) throws(TransportError) -> TreePath {
        path.isRoot ? path : try locate(path.parent, member: member).appending(path.name)
    }

    /// The directory that `path` leads to through any links; what is missing of it is taken to be directories.
    private func locate(_ path: TreePath, member: ByteString) throws(TransportError) -> TreePath {
        // As most are: nothing on the way is a link.
        if changes.added[path]?.isDirectory == true { return path }
        let place: TreePath
        do {
            place = try LinkWalk.place(from: .root, path.components) { visible($0)?.kind ?? .directory }
        } catch {
            switch error {
            case .tooManyLinks: throw .invalidLayer(member: member, reason: "lies behind too many links")
            case .noDirectory(let path):
                throw .invalidLayer(member: member, reason: "lies in \(path), which is no directory")
            }
        }
        guard place.bytes.count <= LayerMember.pathLimit else {
            throw .invalidLayer(member: member, reason: "has a name that is too long for Linux")
        }
        return place
    }
}
