import Bytes
public import Trees

/// What removing a name came to.
public struct Removal: Hashable, Sendable {
    public var kind: NamedKind
    /// Images that stack the layer still, by name: its content stays for them.
    public var stillUsedBy: [String]
}

extension Store {
    /// Forgets `name`. Contents that nothing names any more stay until they are collected.
    ///
    /// - Throws: ``LayerStoreError/noSuchName(_:near:)``, ``LayerStoreError/nameElsewhere(_:store:)``.
    public func remove(_ name: Name) throws(LayerStoreError) -> Removal {
        guard isWritable else { throw .readOnly(path, reason: "it was opened for reading") }
        return try whileCommitting { () throws(LayerStoreError) in
            guard let found = try lookUpOwn(name) else {
                if let store = try namedRecords().first(where: { $0.name == name })?.store {
                    throw .nameElsewhere(name.text, store: store)
                }
                throw .noSuchName(name.text, near: try near(name))
            }
            var users: [String] = []
            if found.kind == .layer {
                for image in try references.names(.image) {
                    guard let digest = try references.digest(of: image, .image) else { continue }
                    // An image that cannot be read is no reason to keep a name.
                    if (try? imageRecord(digest))?.layers.contains(where: { $0.record == found.record }) == true {
                        users.append(image.text)
                    }
                }
            }
            do throws(LayerStoreError) {
                try references.remove(name, found.kind)
            } catch .system(_, let error) where Self.forbidsWriting(error) {
                throw .readOnly(path, reason: "\(error)")
            }
            // The name is gone: an index that cannot be written now is brought up to date by the next command.
            if let writableIndex { try? IndexUpdate(self, writableIndex).synchronise() }
            return Removal(kind: found.kind, stillUsedBy: users)
        }
    }
}
