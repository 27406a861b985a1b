public import Bytes
public import Digests

/// What takes contents in: a store that keeps them, or a survey that only says what keeping them would cost.
public protocol ContentIntake: Sendable {
    /// What is known of each of `states`; nil of those that were not met before.
    func known(_ states: [SourceFingerprint]) throws(LayerStoreError) -> [KnownContent?]

    /// Of each of `contents` whether it is there, as it was when it came: then a file that is known to have it is taken, and ``stage(file:state:known:)``
    /// need not be called. That it says no means nothing. Safe to call from several threads.
    func areThere(_ contents: [(digest: Digest, size: UInt64)?]) throws(LayerStoreError) -> [Bool]

    /// Takes the regular file at `path` of the host, a link not followed. Safe to call from several threads.
    ///
    /// - Parameters:
    ///   - state: what it was when it was examined.
    ///   - known: what is known of that state; a file whose content is known is not read again.
    func stage(
        file path: ByteString, state: SourceState?, known: KnownContent?
    ) throws(LayerStoreError) -> SourceFile

    /// Takes `bytes`; a file with them has the permissions `mode` in the store.
    func stage(bytes: [UInt8], mode: UInt16) throws(LayerStoreError) -> Digest

    /// Whether taking the content in would be new to it.
    func lacks(_ digest: Digest, size: UInt64) throws(LayerStoreError) -> Bool

    /// Notes that `files` were taken, to be known again by their states.
    func took(_ files: [SourceFile]) throws(LayerStoreError)
}

extension StoreSession: ContentIntake {}
