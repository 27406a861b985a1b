import Digests
import OCI

/// Checks the images that a `manifest.json` names (docker-image-spec v1.3, Combined Image JSON + Filesystem Changeset Format).
struct DockerArchiveCheck {
    private let files: any ImageFiles
    private let reading: FileCheck
    private var report: ValidationReport

    /// - Parameter report: what was found before in the same archive.
    init(_ files: any ImageFiles, _ reading: FileCheck, _ report: ValidationReport) {
        (self.files, self.reading, self.report) = (files, reading, report)
        self.report.kinds.append("Docker archive")
    }

    var finished: ValidationReport {
        var finished = report
        (finished.files, finished.bytes) = (reading.count, reading.bytes)
        return finished
    }

    /// - Throws: ``TransportError/noSuchImage(_:)``, and what is no problem of the archive.
    mutating func run(_ reference: String?) throws {
        try noting("manifest.json", "") { check in
            let bytes = try check.reading.document("manifest.json")
            var images = try parsing("manifest.json") { () throws(OCIError) in try DockerArchiveImage.parse(bytes) }
            if let reference {
                images.removeAll { image in !image.repositoryTags.contains { DockerName.areSame($0, reference) } }
                guard !images.isEmpty else { throw TransportError.noSuchImage(reference) }
            }
            for (position, image) in images.enumerated() {
                try check.image(image, "Docker image \(image.repositoryTags.first ?? "\(position + 1)")")
            }
        }
    }

    private mutating func image(_ image: DockerArchiveImage, _ place: String) throws {
        var result = ValidationReport.Image(names: image.repositoryTags, layers: [])
        var diffIDs: [DiffID] = []
        for tag in image.repositoryTags where (try? Reference(parsing: tag)) == nil {
            report.problems.append(ImageProblem(.document, "manifest.json", place, "'\(tag)' is no image name"))
        }
        try noting(image.config, place + ", configuration") { check in
            let bytes = try check.reading.document(image.config)
            try check.compareName(image.config)
            let configuration = try parsing(image.config) { () throws(OCIError) in
                try ImageConfiguration(parsing: bytes)
            }
            diffIDs = configuration.diffIDs
            result.platform = "\(configuration.platform)"
            if diffIDs.count != image.layers.count {
                throw TransportError.layerCount(manifest: image.layers.count, configuration: diffIDs.count)
            }
            if let problem = configuration.historyProblem(image.config, place) { check.report.problems.append(problem) }
        }
        for (index, layer) in image.layers.enumerated() {
            let own = "\(place), layer \(index + 1)"
            try noting(layer, own) { check in
                let diffID = index < diffIDs.count ? diffIDs[index] : nil
                let before = check.report.problems.count
                if let found = try check.reading.layer(
                    layer, nil, diffID: diffID, index: index, place: own, &check.report)
                {
                    result.layers.append(found)
                    do { try check.compareName(layer) } catch {
                        // A wrong digest explains whatever else is wrong.
                        check.report.problems.removeSubrange(before...)
                        throw error
                    }
                }
            }
        }
        if result.layers.count == image.layers.count { result.layers.chain(diffIDs) }
        report.images.append(result)
    }

    /// Where a file's name is a digest, its bytes have it. Names of layers in old archives are those of other things.
    private func compareName(_ file: String) throws {
        var name = Substring(file)
        if name.hasPrefix("blobs/sha256/") {
            name = name.dropFirst("blobs/sha256/".count)
        } else if name.hasSuffix(".json"), !name.contains("/") {
            name = name.dropLast(".json".count)
        } else {
            return
        }
        guard let expected = try? Digest(hexadecimal: Array(name.utf8)) else { return }
        let actual = try reading.stored(file).digest
        guard actual == expected else {
            throw TransportError.digestMismatch(name: file, expected: expected, actual: actual)
        }
    }

    private mutating func noting(
        _ file: String, _ place: String, _ body: (inout DockerArchiveCheck) throws -> Void
    ) throws {
        do { try body(&self) } catch { report.problems.append(try ImageProblem(error, file, place)) }
    }
}
