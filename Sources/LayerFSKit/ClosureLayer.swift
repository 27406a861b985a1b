import Bytes
import LayerStore
import Loader
import Posix
import SystemPackage
import Trees

/// The tree of a closure: its files taken into the store, their links, and the directories they lie in.
struct ClosureLayer {
    let tree: Tree
    /// The regular files, in the closure's order.
    let sources: [SourceFile]

    /// Copies what is not in the store yet.
    ///
    /// A usr-merged host gives a usr-merged layer: where it has `/bin -> usr/bin`, and the layer something in `/usr/bin`,
    /// the link comes along, since scripts and people say `/bin/sh`.
    ///
    /// Regular files keep their time, in whole seconds, which is what a tar holds. Directories and links get that of the
    /// newest file in the layer: on a host theirs tell only when a package was unpacked, and would make the same files
    /// another layer on every machine.
    ///
    /// - Parameter root: where the closure's root lies on this machine.
    init(
        _ closure: Closure, root: ByteString, session: StoreSession, pool: WorkerPool, progress: ProgressMeter
    ) throws {
        let files = closure.files.filter { if case .file = $0.kind { true } else { false } }
        let known = try session.known(files.map(\.sourcePath))
        progress.begin("reading", total: files.reduce(0) { $0 + $1.size })
        sources = try pool.map(files.count) { index in
            let source = try session.stage(file: files[index].sourcePath, known: known)
            try progress.advance(by: source.size)
            return source
        }
        let newest = sources.map(\.metadata.modified.seconds).max() ?? 0
        var entries: [TreePath: Entry] = [:]
        for (file, source) in zip(files, sources) {
            var metadata = source.metadata
            metadata.modified.nanoseconds = 0
            entries[file.path] = Entry(
                path: file.path, metadata: metadata, kind: .file(digest: source.digest, size: source.size))
        }
        let time = Timestamp(seconds: newest)
        do {
            for file in closure.files {
                if case .symlink(let target) = file.kind {
                    let status = try Files.status(file.sourcePath, followingLink: false)
                    let metadata = Metadata(mode: 0o777, uid: status.uid, gid: status.gid, modified: time)
                    entries[file.path] = Entry(path: file.path, metadata: metadata, kind: .symlink(target: target))
                }
            }
            for file in closure.files {
                var directory = file.kind == .directory ? file.path : file.path.parent
                while entries[directory] == nil {
                    let status = try Files.status(root == "/" ? directory.bytes : root + directory.bytes)
                    let metadata = Metadata(
                        mode: status.permissions, uid: status.uid, gid: status.gid, modified: time)
                    entries[directory] = Entry(path: directory, metadata: metadata, kind: .directory)
                    directory = directory.parent
                }
            }
            for link in try UsrMerge.links(of: root) where entries[link.path] == nil {
                guard entries[link.directory]?.isDirectory == true else { continue }
                let metadata = Metadata(mode: 0o777, modified: time)
                entries[link.path] = Entry(path: link.path, metadata: metadata, kind: .symlink(target: link.target))
            }
            tree = try Tree(entries.values)
        } catch let error as SystemError {
            throw LayerFSError.system(step: "examine the host", error)
        } catch let error as TreeError {
            throw LayerFSError.inconsistentTree(error)
        }
    }
}

extension ClosureFile {
    /// The bytes of a regular file; 0 for a link.
    var size: UInt64 {
        if case .file(let size, _) = kind { size } else { 0 }
    }
}
