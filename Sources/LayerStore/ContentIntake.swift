public import Bytes
public import Digests

/// What takes contents in: a store that keeps them, or a survey that only says what keeping them would cost.
public protocol ContentIntake: Sendable {
    /// The digests of those of `paths` that are in a state whose content is known.
    func known(_ paths: [ByteString]) throws(LayerStoreError) -> [SourceFingerprint: Digest]

    /// Takes the regular file at `path` of the host, a link not followed. Safe to call from several threads.
    ///
    /// - Parameter known: states of files whose digest is known; such a file is not read again.
    func stage(file path: ByteString, known: [SourceFingerprint: Digest]) throws(LayerStoreError) -> SourceFile

    /// Takes `bytes`; a file with them has the permissions `mode` in the store.
    func stage(bytes: [UInt8], mode: UInt16) throws(LayerStoreError) -> Digest
}

extension StoreSession: ContentIntake {}
