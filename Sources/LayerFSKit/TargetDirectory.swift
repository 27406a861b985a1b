import Bytes
import Posix
import SystemPackage

/// A directory that appears whole under its final name, or not at all.
///
/// It is filled beside its final place and renamed there. The final name must be free, or an empty directory. What a process that
/// was killed has left is removed by the next that makes the same directory.
final class TargetDirectory: Sendable {
    /// The directory to be filled.
    let root: SharedDescriptor
    private let parent: SharedDescriptor
    private let entry: StagedEntry
    private let place: Place

    /// - Throws: ``LayerFSError/targetExists(_:)`` when `path` is a file or a directory with something in it.
    init(_ path: ByteString) throws(LayerFSError) {
        place = try Place(path)
        do {
            parent = SharedDescriptor(try Files.open(place.workDirectory, [.readOnly, .directory]))
            entry = try StagedEntry(.directory, in: parent.descriptor, for: place.name, mode: 0o700)
            root = SharedDescriptor(try parent.descriptor.open(entry.name, [.readOnly, .directory, .noFollow]))
        } catch {
            throw .system(step: "make the directory \(path)", error)
        }
    }

    /// Gives the directory its final name.
    func publish() throws(LayerFSError) {
        do {
            if place.isMountPoint {
                for entry in try root.descriptor.names() {
                    try root.descriptor.rename(entry.name, to: entry.name, in: parent.descriptor, replacing: false)
                }
                try parent.descriptor.removeDirectory(entry.name)
            } else {
                // Replaces an empty directory, and nothing else (rename(2)).
                try parent.descriptor.rename(entry.name, to: place.name, in: parent.descriptor, replacing: true)
            }
            entry.release()
        } catch  where error.errno == .directoryNotEmpty || error.errno == .fileExists || error.errno == .notDirectory {
            throw .targetExists(place.path)
        } catch {
            throw .system(step: "name the directory \(place.path)", error)
        }
    }

    /// Takes away what was made.
    func discard() {
        try? parent.descriptor.removeTree(entry.name)
    }

    /// Where the directory is to be.
    private struct Place {
        var path: ByteString
        var name: ByteString
        /// Where it is filled: inside a mount point, beside anything else, since a rename cannot leave a file system.
        var workDirectory: ByteString
        /// Whether the place is an empty directory that something is mounted on, and so cannot be replaced.
        var isMountPoint: Bool

        init(_ path: ByteString) throws(LayerFSError) {
            guard !path.isEmpty else { throw .emptyTarget }
            var bytes = path.bytes
            while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
            self.path = ByteString(bytes)
            let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
            name = ByteString(slash.map { bytes[($0 + 1)...] } ?? bytes[...])
            let parent: ByteString = slash.map { $0 == 0 ? "/" : ByteString(bytes[..<$0]) } ?? "."
            do {
                isMountPoint = false
                workDirectory = parent
                guard let status = try Files.statusIfPresent(self.path) else { return }
                guard status.kind == .directory else { throw LayerFSError.targetExists(path) }
                let directory = try Files.open(self.path, [.readOnly, .directory])
                StagedEntry.removeAbandoned(in: directory, for: name)
                guard try directory.names().isEmpty else { throw LayerFSError.targetExists(path) }
                // `.` and the like have no name that a rename could replace.
                let hasName = TreePath.isComponent(name)
                isMountPoint = try !hasName || Files.status(parent).identity.device != status.identity.device
                if isMountPoint { workDirectory = self.path }
            } catch let error as SystemError {
                throw .system(step: "look at \(path)", error)
            } catch let error as LayerFSError {
                throw error
            } catch {
                throw .targetExists(path)
            }
        }
    }
}
