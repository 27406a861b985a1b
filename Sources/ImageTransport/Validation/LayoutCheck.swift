import Digests
import OCI

/// Checks all that an image layout's index leads to, and then the blobs that it does not lead to.
struct LayoutCheck {
    private let files: any ImageFiles
    private let reading: FileCheck
    private var report = ValidationReport()
    /// Documents that are checked already: images have several names, and an index may name itself.
    private var seen: Set<DescriptorDigest> = []

    init(_ files: any ImageFiles, _ reading: FileCheck) {
        (self.files, self.reading) = (files, reading)
        report.kinds = ["image layout"]
    }

    var finished: ValidationReport {
        var finished = report
        (finished.files, finished.bytes) = (reading.count, reading.bytes)
        return finished
    }

    /// - Throws: ``TransportError/noSuchImage(_:)``, and what is no problem of the layout.
    mutating func run(_ reference: String?) throws {
        try noting("oci-layout", "") { check in
            let bytes = try check.reading.document("oci-layout")
            _ = try parsing("oci-layout") { () throws(OCIError) in try ImageLayoutHeader(parsing: bytes) }
        }
        try noting("index.json", "") { check in
            let bytes = try check.reading.document("index.json")
            var index = try parsing("index.json") { () throws(OCIError) in try ImageIndex(parsing: bytes) }
            if let reference {
                index.manifests.removeAll { $0.annotations[AnnotationKey.referenceName] != reference }
                guard !index.manifests.isEmpty else { throw TransportError.noSuchImage(reference) }
            }
            for name in index.manifests.compactMap({ $0.annotations[AnnotationKey.referenceName] })
            where !Reference.isReferenceName(name) {
                check.report.problems.append(
                    ImageProblem(.document, "index.json", "", "'\(name)' is not a valid \(AnnotationKey.referenceName)")
                )
            }
            try check.walk(index, place: "", depth: 1)
        }
        if reference == nil { try checkRest() }
    }

    private mutating func walk(_ index: ImageIndex, place: String, depth: Int) throws {
        for (position, entry) in index.manifests.enumerated() {
            let own = (place.isEmpty ? "" : place + ", ") + Self.name(entry, position)
            guard seen.insert(entry.digest).inserted else {
                note(name: entry.annotations[AnnotationKey.referenceName], of: entry)
                continue
            }
            try noting(Self.file(entry), own) { check in
                if entry.mediaType.isIndex {
                    guard depth < LayoutImages.depthLimit else {
                        throw TransportError.malformedDocument(
                            name: Self.file(entry),
                            .invalidValue(
                                field: "manifests", value: "\(depth) indexes deep",
                                expected: "at most \(LayoutImages.depthLimit)"))
                    }
                    let (name, bytes) = try check.reading.document(entry)
                    let nested = try parsing(name) { () throws(OCIError) in try ImageIndex(parsing: bytes) }
                    check.compare(nested.mediaType, entry, own)
                    try check.walk(nested, place: own, depth: depth + 1)
                } else if entry.mediaType.isManifest {
                    try check.image(entry, own)
                } else {
                    // Another kind of thing is allowed; its bytes are all that can be checked.
                    try check.reading.check(entry)
                }
            }
        }
    }

    private mutating func image(_ entry: Descriptor, _ place: String) throws {
        let (name, bytes) = try reading.document(entry)
        let manifest = try parsing(name) { () throws(OCIError) in try Manifest(parsing: bytes) }
        compare(manifest.mediaType, entry, place)
        var image = ValidationReport.Image(
            names: [entry.annotations[AnnotationKey.referenceName]].compactMap { $0 }, digest: "\(entry.digest)",
            layers: [])
        var configuration: ImageConfiguration?
        try noting(Self.file(manifest.config), place + ", configuration") { check in
            guard [MediaType.imageConfiguration, .dockerConfiguration].contains(manifest.config.mediaType) else {
                return try check.reading.check(manifest.config)
            }
            let (name, bytes) = try check.reading.document(manifest.config)
            let parsed = try parsing(name) { () throws(OCIError) in try ImageConfiguration(parsing: bytes) }
            configuration = parsed
            image.platform = "\(parsed.platform)"
            check.compare(parsed, with: entry, layers: manifest.layers.count, name, place)
        }
        let diffIDs = configuration?.diffIDs ?? []
        for (index, layer) in manifest.layers.enumerated() {
            let own = "\(place), layer \(index + 1)"
            // What an attestation or another artifact holds is no tar; a layer that is to be fetched elsewhere may be absent.
            if !layer.urls.isEmpty, try !isPresent(layer) { continue }
            guard configuration != nil, layer.mediaType.isLayer else {
                try noting(Self.file(layer), own) { try $0.reading.check(layer) }
                continue
            }
            try noting(Self.file(layer), own) { check in
                let name = try check.files.blobName(layer.sha256())
                let diffID = index < diffIDs.count ? diffIDs[index] : nil
                let found = try check.reading.layer(
                    name, Compression(layerMediaType: layer.mediaType), diffID: diffID, index: index, place: own,
                    &check.report)
                if let found { image.layers.append(found) }
                // A wrong digest explains whatever else is wrong: it is said in the first place.
                if found != nil { try check.compareStored(layer, name, own) }
            }
        }
        if image.layers.count == manifest.layers.count { image.layers.chain(diffIDs) }
        report.images.append(image)
    }

    /// Compares digest and size of a layer that was read; when they are wrong, drops what was said of its content.
    private mutating func compareStored(_ layer: Descriptor, _ name: String, _ place: String) throws {
        do { try reading.check(layer) } catch {
            report.problems.removeAll { $0.file == name && $0.place == place }
            throw error
        }
    }

    private func isPresent(_ descriptor: Descriptor) throws -> Bool {
        guard let digest = try? descriptor.sha256() else { return false }
        return try files.size(of: files.blobName(digest)) != nil
    }

    private mutating func compare(
        _ configuration: ImageConfiguration, with entry: Descriptor, layers: Int, _ file: String, _ place: String
    ) {
        if configuration.diffIDs.count != layers {
            let error = TransportError.layerCount(manifest: layers, configuration: configuration.diffIDs.count)
            report.problems.append(ImageProblem(.count, file, place, "\(error)"))
        }
        if let problem = configuration.historyProblem(file, place) { report.problems.append(problem) }
        let own = configuration.platform
        // A variant is often left out on one side.
        if let platform = entry.platform, (platform.os, platform.architecture) != (own.os, own.architecture) {
            report.problems.append(
                ImageProblem(.platform, file, place, "the index says \(platform), the configuration \(own)"))
        }
    }

    private mutating func compare(_ own: MediaType?, _ entry: Descriptor, _ place: String) {
        guard let own, own != entry.mediaType else { return }
        report.problems.append(
            ImageProblem(
                .mediaType, Self.file(entry), place,
                "its descriptor says \(entry.mediaType), the document itself \(own)"))
    }

    /// Hashes the blobs that nothing led to.
    private mutating func checkRest() throws {
        for text in try files.names(in: "blobs/sha256").sorted() {
            let file = "blobs/sha256/" + text
            guard !reading.isNamed(file) else { continue }
            try noting(file, "not named by any document") { check in
                guard let expected = try? Digest(hexadecimal: Array(text.utf8)) else {
                    check.report.problems.append(
                        ImageProblem(.name, file, "", "a name below blobs/sha256 is 64 lower-case hexadecimal digits"))
                    return
                }
                check.report.unreferenced += 1
                let actual = try check.reading.stored(file).digest
                guard actual == expected else {
                    throw TransportError.digestMismatch(name: file, expected: expected, actual: actual)
                }
            }
        }
    }

    /// A further name of an image that was checked already.
    private mutating func note(name: String?, of entry: Descriptor) {
        guard let name, let known = report.images.firstIndex(where: { $0.digest == "\(entry.digest)" }) else { return }
        report.images[known].names.append(name)
    }

    /// Runs `body`; what it throws of the image becomes a problem.
    private mutating func noting(_ file: String, _ place: String, _ body: (inout LayoutCheck) throws -> Void) throws {
        do { try body(&self) } catch { report.problems.append(try ImageProblem(error, file, place)) }
    }

    private static func file(_ descriptor: Descriptor) -> String {
        "blobs/" + "\(descriptor.digest)".replacing(":", with: "/")
    }

    private static func name(_ entry: Descriptor, _ position: Int) -> String {
        let kind = entry.mediaType.isIndex ? "index" : entry.mediaType.isManifest ? "image" : "entry"
        let name = entry.annotations[AnnotationKey.referenceName] ?? "\(position + 1)"
        return "\(kind) \(name)" + (entry.platform.map { " (\($0))" } ?? "")
    }
}
