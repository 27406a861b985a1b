import Bytes
public import Digests
import Posix
import SystemPackage
public import Trees

/// What a name in a store stands for.
public enum NamedKind: String, Hashable, Sendable, CaseIterable, Codable {
    case layer
    case image
}

/// The names of a store: one small file each, holding the digest of a record. They are the roots from which everything
/// that is kept can be reached.
public struct References: Sendable {
    let store: StoreDirectory

    /// The digest of the record that `name` stands for; nil when there is no such name.
    public func digest(of name: Name, _ kind: NamedKind) throws(LayerStoreError) -> Digest? {
        let file = Self.fileName(name)
        let bytes: [UInt8]
        do {
            bytes = try read(file, kind)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        } catch {
            throw .system(step: "read the reference '\(name)'", error)
        }
        guard bytes.last == UInt8(ascii: "\n"),
            let digest = try? Digest(parsing: String(decoding: bytes.dropLast(), as: UTF8.self))
        else { throw .damagedRecord(ByteString("the reference '\(name)'"), reason: "it holds no digest") }
        return digest
    }

    /// All names of a kind, sorted.
    public func names(_ kind: NamedKind) throws(LayerStoreError) -> [Name] {
        let entries = try during("list the references") { () throws(SystemError) in try files(kind) }
        return entries.compactMap { Self.name($0.name) }.sorted()
    }

    func files(_ kind: NamedKind) throws(SystemError) -> [DirectoryEntry] {
        switch kind {
        case .layer: try store.layerReferences.names()
        case .image: try store.imageReferences.names()
        }
    }

    /// Makes `name` stand for `digest`, durably. The caller holds the commit lock.
    func set(_ name: Name, _ kind: NamedKind, to digest: Digest, staging: StagingArea) throws(LayerStoreError) {
        let temporary = staging.freshName()
        try during("write the reference '\(name)'") { () throws(SystemError) in
            let file = try staging.directory.open(temporary, [.writeOnly, .create, .exclusive], mode: 0o644)
            try file.writeAll(Array("\(digest)\n".utf8))
            try file.setPermissions(0o644)
            try file.sync()
            try file.close()
            switch kind {
            case .layer:
                try staging.directory.rename(
                    temporary, to: Self.fileName(name), in: store.layerReferences, replacing: true)
            case .image:
                try staging.directory.rename(
                    temporary, to: Self.fileName(name), in: store.imageReferences, replacing: true)
            }
            try sync(kind)
        }
    }

    /// Makes the names of a kind durable that are there: another command may have given one a moment ago, and not flushed it yet.
    func flush(_ kind: NamedKind) throws(LayerStoreError) {
        try during("flush the references") { () throws(SystemError) in try sync(kind) }
    }

    private func sync(_ kind: NamedKind) throws(SystemError) {
        switch kind {
        case .layer: try store.layerReferences.sync()
        case .image: try store.imageReferences.sync()
        }
    }

    /// Forgets `name`, durably. The caller holds the commit lock.
    func remove(_ name: Name, _ kind: NamedKind) throws(LayerStoreError) {
        try during("remove the reference '\(name)'") { () throws(SystemError) in
            switch kind {
            case .layer: try store.layerReferences.removeFile(Self.fileName(name))
            case .image: try store.imageReferences.removeFile(Self.fileName(name))
            }
            try sync(kind)
        }
    }

    private func read(_ file: ByteString, _ kind: NamedKind) throws(SystemError) -> [UInt8] {
        switch kind {
        case .layer: try store.layerReferences.open(file, [.readOnly, .noFollow]).readAll(limit: 256)
        case .image: try store.imageReferences.open(file, [.readOnly, .noFollow]).readAll(limit: 256)
        }
    }

    /// The file of a name: the name itself with `/` as `%2F`, so that `a` and `a/b` can both exist.
    private static func fileName(_ name: Name) -> ByteString {
        ByteString(name.text.utf8.flatMap { $0 == UInt8(ascii: "/") ? Array("%2F".utf8) : [$0] })
    }

    static func name(_ file: ByteString) -> Name? {
        guard let text = file.utf8Text else { return nil }
        return try? Name(text.split(separator: "%2F", omittingEmptySubsequences: false).joined(separator: "/"))
    }
}
