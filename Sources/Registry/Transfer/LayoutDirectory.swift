public import Bytes
import Digests
public import OCI
import Posix
public import RegistryProtocol
import SystemPackage

/// The directory of an image layout (image-spec, image-layout.md) that is uploaded from or downloaded into.
public final class LayoutDirectory: Sendable {
    public let path: ByteString
    private let root: SharedDescriptor
    private let blobs: SharedDescriptor

    /// Opens the layout at `path`.
    ///
    /// - Throws: ``RegistryError/layout(path:reason:)``.
    public convenience init(opening path: ByteString) throws(RegistryError) {
        do throws(SystemError) {
            let root = try Files.open(path, [.readOnly, .directory])
            let blobs = try root.open("blobs/sha256", [.readOnly, .directory])
            self.init(path, root, blobs)
        } catch {
            throw .layout(path: "\(path)", reason: "it is no image layout that can be read: \(error)")
        }
        guard try document("oci-layout") != nil else {
            throw .layout(path: "\(path)", reason: "it is no image layout: it has no oci-layout")
        }
    }

    /// Makes the layout at `path`, or opens the one that is there. An empty directory becomes one.
    ///
    /// - Throws: ``RegistryError/layout(path:reason:)`` for a directory that holds something else.
    public convenience init(making path: ByteString) throws(RegistryError) {
        do throws(SystemError) {
            if try Files.statusIfPresent(path, followingLink: true) == nil {
                let slash = path.bytes.lastIndex(of: UInt8(ascii: "/"))
                let parent = slash.map { $0 == 0 ? "/" : ByteString(path.bytes[..<$0]) } ?? "."
                let name = slash.map { ByteString(path.bytes[($0 + 1)...]) } ?? path
                try Files.open(parent, [.readOnly, .directory]).ensureDirectory(name)
            }
            let root = try Files.open(path, [.readOnly, .directory])
            let names = try root.names().map(\.name)
            guard names.isEmpty || names.contains("oci-layout") else {
                throw SystemError("open", path, .directoryNotEmpty)
            }
            try root.ensureDirectory("blobs")
            try root.ensureDirectory("blobs/sha256")
            let blobs = try root.open("blobs/sha256", [.readOnly, .directory])
            let isNew = names.isEmpty
            self.init(path, root, blobs)
            if isNew { try write("oci-layout", ImageLayoutHeader().canonicalBytes) }
        } catch {
            let reason =
                error.errno == .directoryNotEmpty ? "it is neither an image layout nor an empty directory" : "\(error)"
            throw .layout(path: "\(path)", reason: reason)
        }
    }

    private init(_ path: ByteString, _ root: consuming OwnedDescriptor, _ blobs: consuming OwnedDescriptor) {
        self.path = path
        self.root = SharedDescriptor(root)
        self.blobs = SharedDescriptor(blobs)
    }

    /// Runs `body` while nobody else downloads into the layout.
    ///
    /// - Throws: ``RegistryError/layout(path:reason:)`` when somebody does, what `body` throws.
    func whileLocked<Result>(_ body: () async throws -> Result) async throws -> Result {
        let lock: SharedLock
        do {
            lock = try SharedLock(FileLock(root.descriptor.open(".", [.readOnly, .directory]), .exclusive))
        } catch {
            throw RegistryError.layout(path: "\(path)", reason: "another process is writing to this image layout")
        }
        defer { withExtendedLifetime(lock) {} }
        return try await body()
    }

    private final class SharedLock: Sendable {
        let lock: FileLock
        init(_ lock: consuming FileLock) { self.lock = lock }
    }

    // MARK: Reading

    /// The index; nil where there is none yet.
    ///
    /// - Throws: ``RegistryError/malformedDocument(name:_:)``, ``RegistryError/layout(path:reason:)``.
    public func index() throws(RegistryError) -> ImageIndex? {
        guard let bytes = try document("index.json") else { return nil }
        do { return try ImageIndex(parsing: bytes) } catch { throw .malformedDocument(name: "index.json", error) }
    }

    /// The document that `descriptor` names, checked against it.
    ///
    /// - Throws: ``RegistryError``.
    public func document(_ descriptor: Descriptor) throws(RegistryError) -> [UInt8] {
        let digest = try sha256(descriptor)
        guard let bytes = try document(name(of: digest)) else { throw .missingBlob(digest: "\(digest)") }
        let actual = Digest(hashing: bytes)
        guard actual == digest else {
            throw .digestMismatch(what: "\(path)/\(name(of: digest))", expected: digest, actual: actual)
        }
        return bytes
    }

    private func document(_ name: ByteString) throws(RegistryError) -> [UInt8]? {
        do throws(SystemError) {
            guard try isRegularFile(name) else { return nil }
            return try root.descriptor.open(name, [.readOnly, .noFollow, .nonBlocking]).readAll(
                limit: JSONValue.sizeLimit)
        } catch {
            throw .layout(path: "\(path)", reason: "\(error)")
        }
    }

    private func isRegularFile(_ name: ByteString) throws(SystemError) -> Bool {
        do throws(SystemError) { return try root.descriptor.status(of: name).kind == .regular } catch {
            if error.errno == .noSuchFileOrDirectory { return false }
            throw error
        }
    }

    /// The blob that `descriptor` names, open; nil when it is not there.
    func blob(_ descriptor: Descriptor) throws(RegistryError) -> SharedDescriptor? {
        let name = ByteString(try sha256(descriptor).hexadecimal)
        do throws(SystemError) {
            let file = try blobs.descriptor.open(name, [.readOnly, .noFollow, .nonBlocking])
            guard try file.status().kind == .regular else { return nil }
            return SharedDescriptor(file)
        } catch {
            // ELOOP: a link. What lies elsewhere is not the layout's.
            if error.errno == .noSuchFileOrDirectory || error.errno == .tooManySymbolicLinkLevels { return nil }
            throw .layout(path: "\(path)", reason: "\(error)")
        }
    }

    /// Whether the blob that `descriptor` names is there, whole.
    func holds(_ descriptor: Descriptor) throws(RegistryError) -> Bool {
        guard let file = try blob(descriptor) else { return false }
        let digest = try sha256(descriptor)
        do throws(SystemError) {
            guard try file.descriptor.status().size == UInt64(clamping: descriptor.size) else { return false }
            return try Self.digest(of: file.descriptor) == digest
        } catch {
            throw .layout(path: "\(path)", reason: "\(error)")
        }
    }

    /// The digest of the rest of `file`.
    static func digest(of file: borrowing OwnedDescriptor) throws(SystemError) -> Digest {
        var hasher = DigestHasher()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { return hasher.finalize() }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    // MARK: Writing

    /// Begins, or goes on with, the file of the blob `descriptor`.
    ///
    /// - Throws: ``RegistryError/layout(path:reason:)``.
    func partialFile(for descriptor: Descriptor) throws(RegistryError) -> PartialFile {
        let digest = try sha256(descriptor)
        do { return try PartialFile(in: blobs, digest: digest, size: descriptor.size) } catch {
            throw .layout(path: "\(path)", reason: "\(error)")
        }
    }

    /// Stores a document under its digest.
    ///
    /// - Throws: ``RegistryError/layout(path:reason:)``.
    func add(_ bytes: [UInt8], _ digest: Digest) throws(RegistryError) {
        do { try write(name(of: digest), bytes) } catch { throw .layout(path: "\(path)", reason: "\(error)") }
    }

    /// Names `manifest` in the index, in the place of what had its name.
    ///
    /// - Throws: ``RegistryError``.
    func addToIndex(_ manifest: Descriptor) throws(RegistryError) {
        var index = try index() ?? ImageIndex()
        index.replace(manifest)
        do { try write("index.json", index.canonicalBytes) } catch {
            throw .layout(path: "\(path)", reason: "\(error)")
        }
    }

    /// Replaces the file `name`, whole or not at all.
    private func write(_ name: ByteString, _ bytes: [UInt8]) throws(SystemError) {
        let temporary = ByteString(".layerfs-\(String(UInt64.random(in: 0 ... .max), radix: 36))")
        let file = try root.descriptor.open(temporary, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644)
        do throws(SystemError) {
            try file.writeAll(bytes)
            try file.syncData()
            try root.descriptor.rename(temporary, to: name, in: root.descriptor, replacing: true)
        } catch {
            try? root.descriptor.removeFile(temporary)
            throw error
        }
        try root.descriptor.sync()
    }

    private func name(of digest: Digest) -> ByteString { ByteString("blobs/sha256/" + digest.hexadecimal) }

    private func sha256(_ descriptor: Descriptor) throws(RegistryError) -> Digest {
        do { return try descriptor.sha256() } catch { throw .malformedDocument(name: "descriptor", error) }
    }
}
