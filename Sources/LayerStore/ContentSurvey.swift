public import Bytes
public import Digests
import Posix
import SystemPackage
public import Trees

/// Takes contents in without keeping them: says what keeping them in a store would come to, and writes nothing.
public struct ContentSurvey: ContentIntake {
    private let store: Store?

    /// - Parameter store: the store they would go into; nil for one that is not there yet.
    public init(_ store: Store?) { self.store = store }

    public func known(_ states: [SourceFingerprint]) throws(LayerStoreError) -> [KnownContent?] {
        guard let store else { return [KnownContent?](repeating: nil, count: states.count) }
        return try KnownFileSearch(states, in: store.currentIndex()).known
    }

    /// Files are opened for their attributes, and counted.
    public func areThere(_ contents: [(digest: Digest, size: UInt64)?]) -> [Bool] {
        [Bool](repeating: false, count: contents.count)
    }

    public func stage(
        file path: ByteString, state: SourceState?, known: KnownContent?
    ) throws(LayerStoreError) -> SourceFile {
        for _ in 0..<3 {
            let begun = FileTime.now
            let source = try during("read") { () throws(SystemError) in
                try Files.open(path, [.readOnly, .noFollow, .nonBlocking])
            }
            let before = try during("examine") { () throws(SystemError) in try source.status() }
            guard before.kind == .regular else { throw .sourceNotRegular(path) }
            let attributes = try during("read the attributes") { () throws(SystemError) in
                try source.extendedAttributes()
            }
            let fingerprint = SourceFingerprint(before)
            let digest: Digest
            if let known, fingerprint == state?.fingerprint {
                digest = known.digest
            } else {
                digest = try hash(source)
                let after = try during("examine") { () throws(SystemError) in try source.status() }
                guard SourceFingerprint(after) == fingerprint else { continue }
            }
            return SourceFile(
                digest: digest, size: before.size, metadata: Metadata(before, attributes: attributes),
                wasCopied: try lacks(digest, size: before.size), fingerprint: fingerprint,
                begun: begun)
        }
        throw .sourceChanges(path)
    }

    public func stage(bytes: [UInt8], mode: UInt16) throws(LayerStoreError) -> Digest { Digest(hashing: bytes) }

    public func took(_ files: [SourceFile]) {}

    /// Whether the store would have to take the content in.
    public func lacks(_ digest: Digest, size: UInt64) throws(LayerStoreError) -> Bool {
        guard size > 0 else { return false }
        return try store?.blobs.size(of: digest) != size
    }

    /// Whether `name` could be given to `tree`.
    ///
    /// - Throws: ``LayerStoreError/nameTaken(_:detail:)``.
    public func checkAvailable(_ name: Name, for tree: Tree, replacing: Bool) throws(LayerStoreError) {
        _ = try store?.checkAvailable(name, for: tree, replacing: replacing)
    }

    private func hash(_ source: borrowing OwnedDescriptor) throws(LayerStoreError) -> Digest {
        var hasher = DigestHasher()
        do {
            try source.forEachPiece { hasher.update($0) }
        } catch let error as SystemError {
            throw .system(step: "read \(source.path)", error)
        } catch {
            throw .damagedRecord(source.path, reason: "\(error)")
        }
        return hasher.finalize()
    }
}
