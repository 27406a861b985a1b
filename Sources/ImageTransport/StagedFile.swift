import Bytes
import Digests
import Posix
import Synchronization
import SystemPackage

/// A file that is written under a temporary name and gets its own when it is complete and on disk; else it is removed, when this
/// process is killed by the next that writes to the same place.
final class StagedFile: ByteSink, Sendable {
    private let directory: OwnedDescriptor
    private let file: OwnedDescriptor
    private let entry: StagedEntry
    private let hasher = SharedHasher()
    private let state = Mutex(State())
    /// How much is gathered before it is sent on its way.
    private static let writeBack: UInt64 = 8 << 20

    private struct State {
        var isPublished = false
        var size: UInt64 = 0
        /// How much of the file is on its way to the disk.
        var begun: UInt64 = 0
    }

    /// - Parameter name: what the temporary name is made from.
    init(in directory: borrowing OwnedDescriptor, for name: ByteString) throws(SystemError) {
        self.directory = try directory.open(".", [.readOnly, .directory])
        entry = try StagedEntry(.file, in: directory, for: name, mode: 0o644)
        file = try directory.open(entry.name, [.writeOnly, .noFollow])
    }

    deinit { if !state.withLock({ $0.isPublished }) { try? directory.removeFile(entry.name) } }

    /// In bytes, so far.
    var size: UInt64 { state.withLock { $0.size } }
    /// Of all that was written so far; of nothing where it was not hashed.
    var digest: Digest { hasher.digest }

    func write(_ bytes: [UInt8]) throws(SystemError) { try write(bytes, hashing: true) }

    /// - Parameter hashing: false when the digest is found by reading the file back.
    func write(_ bytes: [UInt8], hashing: Bool) throws(SystemError) {
        if hashing { hasher.update(bytes) }
        try file.writeAll(bytes)
        beginWriting(bytes.count)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        hasher.update(bytes)
        try file.writeAll(bytes)
        beginWriting(bytes.count)
    }

    /// The disk works while we do, so that the flush at the end waits for little.
    private func beginWriting(_ count: Int) {
        let range = state.withLock { state -> Range<UInt64>? in
            state.size += UInt64(count)
            guard state.size - state.begun >= Self.writeBack else { return nil }
            defer { state.begun = state.size }
            return state.begun..<state.size
        }
        if let range { file.beginWriting(range) }
    }

    /// Makes the file a copy of `source`, which is at its start.
    func fill(from source: borrowing OwnedDescriptor) throws(SystemError) {
        try FileCopy.copyContent(of: source, to: file)
    }

    /// Opens what was written so far for reading.
    func reopen() throws(SystemError) -> OwnedDescriptor {
        try directory.open(entry.name, [.readOnly, .noFollow])
    }

    /// Makes the content durable and gives the file its name.
    ///
    /// - Parameter flushing: false for what may be lost when the power is.
    /// - Throws: EEXIST when `replacing` is false and the name is taken.
    func publish(as name: ByteString, replacing: Bool, flushing: Bool = true) throws(SystemError) {
        if flushing { try file.syncData() }
        try directory.rename(entry.name, to: name, in: directory, replacing: replacing)
        state.withLock { $0.isPublished = true }
        entry.release()
        if flushing { try directory.sync() }
    }
}

extension StagedFile {
    /// Publishes the file where the name is not taken.
    ///
    /// - Returns: false where it is.
    func publishIfAbsent(as name: ByteString, flushing: Bool) throws(SystemError) -> Bool {
        do {
            try publish(as: name, replacing: false, flushing: flushing)
            return true
        } catch  where error.errno == .fileExists {
            return false
        }
    }
}

/// A directory that is filled under a temporary name, beside its target; removed with all in it unless published.
final class StagedDirectory {
    private let parent: OwnedDescriptor
    private let entry: StagedEntry
    private var isPublished = false

    init(in parent: borrowing OwnedDescriptor, for name: ByteString) throws(SystemError) {
        self.parent = try parent.open(".", [.readOnly, .directory])
        entry = try StagedEntry(.directory, in: parent, for: name, mode: 0o777)
    }

    deinit { if !isPublished { try? parent.removeTree(entry.name) } }

    func open() throws(SystemError) -> OwnedDescriptor {
        try parent.open(entry.name, [.readOnly, .directory, .noFollow])
    }

    /// Gives the directory its name. An empty directory that has it is replaced; anything else is not.
    ///
    /// - Returns: false when the name is taken.
    func publish(as name: ByteString) throws(SystemError) -> Bool {
        do {
            try parent.rename(entry.name, to: name, in: parent, replacing: false)
        } catch  where error.errno == .fileExists {
            guard try replaceEmptyDirectory(name) else { return false }
        }
        isPublished = true
        entry.release()
        try parent.sync()
        return true
    }

    private func replaceEmptyDirectory(_ name: ByteString) throws(SystemError) -> Bool {
        guard try parent.status(of: name).kind == .directory else { return false }
        do {
            // rename(2) replaces a directory only while it is empty.
            try parent.rename(entry.name, to: name, in: parent, replacing: true)
            return true
        } catch  where error.errno == .fileExists || error.errno == .directoryNotEmpty {
            return false
        }
    }
}
