public import Digests
public import LayerStore
import Loader
import OCI
public import Trees

/// What an expression stands for in a store at this moment: layers in order, and how to run them.
public struct Selection: Sendable {
    /// A layer with its documents.
    public struct Layer: Sendable {
        public var name: String
        public var digest: Digest
        public var record: LayerRecord
        /// Of a layer that came with an image which settles conflicts among its own layers.
        public var group: ImageRecord.Group?
        /// Of a layer that was imported with an image: as that image had it.
        public var blob: ImageRecord.Blob?
    }

    /// As it was asked for.
    public var expression: RootExpression
    /// The lowest first.
    public var layers: [Layer] = []
    /// Those of the images in the expression, of a later one in place of an earlier one's.
    public var settings = ImageSettings()
    /// That of the image where the expression is one image; otherwise conflicts are refused.
    public var onConflict = ConflictPolicy.error
    /// Of an expression that is one imported image and nothing else: the documents that it came with.
    public var original: ImageRecord.Original?
}

extension Workspace {
    /// Whether the store has whatever `expression` names.
    public func hasAllNames(of expression: RootExpression) throws(LayerStoreError) -> Bool {
        for name in expression.names where try store.lookUp(name) == nil { return false }
        return true
    }

    /// Finds the layers that `expression` stands for. A name may be a layer's, or an image's: then it stands for all the
    /// image's layers, and brings the image's settings.
    ///
    /// - Throws: ``LayerFSError/noSuchName(_:near:)``, or ``LayerStoreError`` when a document is missing or damaged.
    public func select(_ expression: RootExpression) throws -> Selection {
        var selection = Selection(expression: expression)
        for (position, name) in expression.names.enumerated() {
            guard let found = try store.lookUp(name) else {
                if !store.absentStores.isEmpty {
                    throw LayerStoreError.absentStores(store.absentStores, name: name.text)
                }
                throw LayerFSError.noSuchName(name, near: try store.near(name))
            }
            switch found.kind {
            case .layer:
                selection.layers.append(try layer(name.text, found.record))
            case .image:
                let image = try member(of: store.imageRecord(found.record), named: name)
                try add(image, to: &selection, at: position, isAlone: expression.singleName != nil)
            }
        }
        return selection
    }

    /// What the record of an image of its own stands for, as if it were named `expression`.
    func select(_ image: ImageRecord, as expression: RootExpression) throws -> Selection {
        var selection = Selection(expression: expression)
        try add(image, to: &selection, at: 0, isAlone: true)
        return selection
    }

    private func add(
        _ image: ImageRecord, to selection: inout Selection, at position: Int, isAlone: Bool
    ) throws {
        selection.settings = selection.settings.overridden(by: image.settings)
        if isAlone { (selection.onConflict, selection.original) = (image.onConflict, image.original) }
        for part in image.layers {
            // Numbers of the image's own groups stay apart from those of other names.
            var group = part.group.map {
                ImageRecord.Group(number: (position + 1) * 1000 + $0.number, onConflict: $0.onConflict)
            }
            if !isAlone, image.onConflict != .error {
                group = ImageRecord.Group(number: position, onConflict: image.onConflict)
            }
            selection.layers.append(try layer(part.name, part.record, group, part.blob))
        }
    }

    /// The image itself; of an index the one for this machine.
    private func member(of image: ImageRecord, named name: Name) throws -> ImageRecord {
        guard let members = image.members else { return image }
        let platforms = try members.map { try Platform(parsing: $0.settings.platform ?? "") }
        guard let index = platforms.firstIndex(where: HostPlatform.platform.accepts) else {
            throw LayerFSError.noMember(name, platforms: platforms.map(\.description))
        }
        return members[index]
    }

    private func layer(
        _ name: String, _ record: Digest, _ group: ImageRecord.Group? = nil, _ blob: ImageRecord.Blob? = nil
    ) throws -> Selection.Layer {
        Selection.Layer(name: name, digest: record, record: try store.layerRecord(record), group: group, blob: blob)
    }

    /// Stacks the layers of `selection`; those of an image that settles its own conflicts are stacked by themselves first.
    /// Where programs found libraries only through their host's ld.so.cache, a layer with a cache of its own comes on top.
    ///
    /// - Throws: ``CompositionError`` when layers disagree and the policy is to refuse.
    public func compose(_ selection: Selection) throws -> Composition {
        try compose(selection, of: trees(of: selection))
    }

    /// The trees of the layers of `selection`, in order.
    func trees(of selection: Selection) throws(LayerStoreError) -> [Tree] {
        try selection.layers.map { (layer) throws(LayerStoreError) in try store.tree(of: layer.record) }
    }

    /// The same as ``compose(_:)``, where the trees were read.
    func compose(_ selection: Selection, of trees: [Tree]) throws -> Composition {
        var layers: [Composition.Layer] = []
        var rest = zip(selection.layers, trees).map { (layer: $0, tree: $1) }[...]
        while let first = rest.first?.layer {
            let group = rest.prefix { $0.layer.group == first.group }
            let stacked = group.map { Composition.Layer(name: $0.layer.name, tree: $0.tree) }
            if let policy = first.group?.onConflict {
                layers += try Composition(stacked, onConflict: policy).surviving
            } else {
                layers += stacked
            }
            rest = rest.dropFirst(group.count)
        }
        let composition = try Composition(layers, onConflict: selection.onConflict)
        let wanted = selection.layers.flatMap { $0.record.cachedLibraries ?? [] }
        guard let cache = try LoaderCacheLayer(wanted.map(LdCacheLibrary.init), in: composition.tree, store.blobs)
        else {
            return composition
        }
        return try Composition(
            layers, onConflict: selection.onConflict,
            completedBy: cache.layer(store.blobs.keep(volatile: cache.bytes)))
    }
}

extension Selection {
    /// Without layers that a lower one repeats. Only where conflicts are refused: where the last wins, repeating a layer on
    /// top means something.
    var withoutRepetitions: Selection {
        guard onConflict == .error, layers.allSatisfy({ $0.group == nil }) else { return self }
        var seen: Set<Digest> = []
        var result = self
        result.layers = layers.filter { seen.insert($0.digest).inserted }
        return result
    }
}
