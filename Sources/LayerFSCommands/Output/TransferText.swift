package import LayerFSKit
package import OCI
package import RegistryProtocol

/// The line in which a push or pull says what it did.
package enum TransferText {
    package static func pushed(
        _ source: String, _ place: RegistryPlace, _ summary: TransferSummary, packed: UInt64?
    ) -> String {
        "pushed \(source) to \(place): \(blobs(summary))" + (packed == 0 ? ", nothing compressed" : "")
            + ", manifest \(summary.manifest.digest)"
    }

    package static func pulled(_ place: RegistryPlace, _ target: String, _ summary: TransferSummary) -> String {
        "pulled \(place) to \(target): \(blobs(summary)), manifest \(summary.manifest.digest)"
    }

    package static func fetched(_ place: RegistryPlace, _ summary: TransferSummary) -> String {
        "fetched \(place): \(blobs(summary)), manifest \(summary.manifest.digest)"
    }

    package static func attached(_ file: String, _ type: MediaType, _ subject: Descriptor, _ artifact: Descriptor)
        -> String
    {
        "attached \(file) (\(type)) to \(subject.digest): \(artifact.digest)"
    }

    /// Says what a push of `source` did that attached nothing.
    ///
    /// - Throws: ``Console/OutputError``.
    package static func sayPushed(
        _ source: String, _ place: RegistryPlace, _ summary: TransferSummary, packed: UInt64?, to console: Console,
        asJSON: Bool
    ) throws {
        if asJSON { return try console.result(json: TransferReport(summary, packed: packed)) }
        console.note(pushed(source, place, summary, packed: packed))
    }

    /// Says what was fetched, and what an import did with it.
    ///
    /// - Throws: ``Console/OutputError``.
    package static func sayFetched(
        _ place: RegistryPlace, _ summary: TransferSummary, _ imported: [ImportSummary], to console: Console,
        asJSON: Bool
    ) throws {
        if asJSON { return try console.result(json: imported.map { PullReport($0, TransferReport(summary)) }) }
        console.note(fetched(place, summary))
        for summary in imported { console.note(SummaryText.imported(summary)) }
    }

    private static func blobs(_ summary: TransferSummary) -> String {
        let kinds: [(TransferOutcome, String)] = [
            (.uploaded, "uploaded"), (.downloaded, "downloaded"), (.mounted, "mounted from another repository"),
            (.present, "there already"), (.known, "known and not fetched"),
        ]
        let parts = kinds.compactMap { outcome, text in
            summary.blobs[outcome].map { count in
                let isMoved = outcome == .uploaded || outcome == .downloaded
                let bytes = isMoved ? summary.bytes : outcome == .known ? summary.knownBytes : nil
                return "\(count) blobs \(text)" + (bytes.map { " (\(ByteCount(UInt64(clamping: $0))))" } ?? "")
            }
        }
        return parts.isEmpty ? "no blobs" : parts.joined(separator: ", ")
    }
}

/// What `push --json` and `pull --json` say.
package struct TransferReport: Codable {
    struct Document: Codable {
        var mediaType: String
        var digest: String
        var size: Int64

        init(_ descriptor: Descriptor) {
            (mediaType, digest, size) = (descriptor.mediaType.text, "\(descriptor.digest)", descriptor.size)
        }
    }

    var manifest: Document
    /// By what became of them.
    var blobs: [String: Int]
    var transferred: Int64
    /// Bytes that were known and left out.
    var known: Int64
    var attached: [Document]
    /// Bytes of contents that were packed and compressed to be pushed; absent where nothing was to be made.
    var packed: UInt64?

    package init(_ summary: TransferSummary, attached: [Descriptor] = [], packed: UInt64? = nil) {
        self.packed = packed
        manifest = Document(summary.manifest)
        blobs = Dictionary(uniqueKeysWithValues: summary.blobs.map { ($0.key.rawValue, $0.value) })
        (transferred, known) = (summary.bytes, summary.knownBytes)
        self.attached = attached.map(Document.init)
    }
}

/// What `pull --json` says of an image that came into the store: what `import` does, and what was fetched.
package struct PullReport: Encodable {
    private let imported: ImportReport
    private let fetched: TransferReport

    private enum Key: CodingKey { case fetched }

    package init(_ imported: ImportSummary, _ fetched: TransferReport) {
        (self.imported, self.fetched) = (ImportReport(imported), fetched)
    }

    package func encode(to encoder: any Encoder) throws {
        try imported.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(fetched, forKey: .fetched)
    }
}
