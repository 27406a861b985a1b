import Bytes
import Digests
import Posix
import SystemPackage
import Trees

extension Store {
    /// Removes what no name reaches: contents, nodes that no entry wants, what dead commands left in the staging area, stale cache files.
    ///
    /// The store must have been opened with ``Access/collecting``, so no other command reads or adds. What is reached is found
    /// first, and the index forgets the rest, durably, before the first byte is removed: a crash leaves garbage, never an index
    /// that names what is gone. Roots that were made by hard links keep their files: only the store's name of a file goes.
    ///
    /// - Parameters:
    ///   - age: what nothing names stays while it is younger, by the clock of the store's file system.
    ///   - checkpoint: called between files; what it throws ends the collection, which can be repeated.
    /// - Throws: ``LayerStoreError`` when something that a name reaches cannot be read; nothing was removed then.
    public func collectGarbage(
        keepingYoungerThan age: Duration = .zero, dryRun: Bool = false, checkpoint: @escaping () throws -> Void = {}
    ) throws -> GarbageReport {
        let live = try LiveContents(of: self, withNodes: NodeStore.contents(in: directory.nodes))
        let staging = try StagingSweep(of: self)
        var sweep = Sweep(live: live, report: GarbageReport(dryRun: dryRun), checkpoint: checkpoint)
        if age > .zero { sweep.youngest = try staging.currentTime().seconds - age.components.seconds }
        sweep.report.live = live.digests.count
        if !dryRun { try forgetUnreachable(live) }
        // Staging first: it may hold the last other links to contents.
        try staging.run(&sweep)
        try sweep.shards(of: directory.blobs, \.blobs) {
            BlobPath.digest($0).map { !live.digests.contains($0) } ?? false
        }
        try sweep.shards(of: directory.nodes, \.nodes) { live.isDeadNode($0) }
        // Not made for this: a dry run leaves everything as it is.
        if try directory.root.contains("cache") { try sweep.cache(directory.openCache()) }
        if let roots = try RootSweep.open(of: self) { try roots.run(&sweep) }
        return sweep.report
    }

    private func forgetUnreachable(_ live: LiveContents) throws(LayerStoreError) {
        guard isWritable else { throw .readOnly(path, reason: "it was opened for reading") }
        guard let index = writableIndex else { throw .index(step: "open", message: "it is damaged") }
        try whileCommitting { () throws(LayerStoreError) in
            let update = IndexUpdate(self, index)
            try update.synchronise()
            try update.forgetContents(except: live.digests)
            index.compact()
        }
    }
}

/// The removing half of a collection.
struct Sweep {
    typealias Kind = WritableKeyPath<GarbageReport, GarbageReport.Removed>

    let live: LiveContents
    var report: GarbageReport
    let checkpoint: () throws -> Void
    /// What was last changed at this second or later stays; nil for no such limit.
    var youngest: Int64?
    /// Links that were, or in a dry run would have been, removed from inodes that have others.
    var removedLinks: [FileIdentity: UInt32] = [:]

    /// Removes the dead files of the directories in `parent`, which spread digests by their first two digits.
    ///
    /// - Parameter isDead: whether a file below `parent` is one of the store's that nothing reaches. Any other is not ours.
    mutating func shards(
        of parent: borrowing OwnedDescriptor, _ kind: Kind,
        isDead: (ByteString) -> Bool
    ) throws {
        for shard in try parent.names() where shard.name.count == 2 {
            let directory = try parent.open(shard.name, [.readOnly, .directory, .noFollow])
            for file in try directory.names() where isDead(shard.name + "/" + file.name) {
                try remove(file.name, in: directory, kind)
            }
        }
    }

    /// Removes the files of the cache whose names begin with the digest of something that is no longer there. What lies in cached
    /// roots is not the cache's: see ``RootSweep``.
    mutating func cache(_ directory: borrowing OwnedDescriptor) throws {
        for file in try directory.names() where file.name != RootCache.directoryName {
            if file.kind == .directory {
                try cache(directory.open(file.name, [.readOnly, .directory, .noFollow]))
            } else if let digest = try? Digest(hexadecimal: file.name.bytes.prefix(64)),
                !live.isCacheOwner(digest)
            {
                try remove(file.name, in: directory, \.cache)
            }
        }
    }

    /// Removes a file, unless it is too young, and counts what that frees.
    mutating func remove(
        _ name: ByteString, in directory: borrowing OwnedDescriptor,
        _ kind: Kind
    ) throws {
        try checkpoint()
        let status = try directory.status(of: name)
        // The time of change: that of modification is the source file's. A link made later only makes it younger.
        if let youngest, status.changed.seconds >= youngest {
            report.young += 1
            return
        }
        if !report.dryRun { try directory.removeFile(name) }
        report[keyPath: kind].count += 1
        report[keyPath: kind].bytes &+= status.size
        report[keyPath: kind].freed &+= freed(by: status)
    }

    /// The bytes of disk that come free with one name of an inode: none while it has others.
    private mutating func freed(by status: FileStatus) -> UInt64 {
        guard status.links > 1 else { return status.allocated }
        guard report.dryRun else { return 0 }
        removedLinks[status.identity, default: 0] += 1
        return removedLinks[status.identity] == status.links ? status.allocated : 0
    }
}
