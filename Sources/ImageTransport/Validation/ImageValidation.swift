public import Bytes
import Digests
import OCI
import Posix

/// Checks image layouts and archives, whoever wrote them: every digest, size and diffID is recomputed, through all indexes and
/// platforms; what is wrong is gathered, not thrown at the first.
///
/// Memory does not grow with the size of layers.
public struct ImageValidation {
    private let limit: ExpansionLimit
    private let scratch: ByteString
    private let progress: (UInt64) throws -> Void

    /// - Parameters:
    ///   - scratch: where an archive that is compressed is laid out.
    ///   - progress: called with the number of bytes read since the last call; what it throws ends the check.
    public init(
        limit: ExpansionLimit = ExpansionLimit(), scratch: ByteString,
        progress: @escaping (UInt64) throws -> Void = { _ in }
    ) {
        (self.limit, self.scratch, self.progress) = (limit, scratch, progress)
    }

    /// Checks the image layout in the directory `path`.
    ///
    /// - Parameter reference: check only the images of this name in the index; nil for all, and all blobs.
    /// - Throws: ``TransportError/noImages(_:reason:)``, ``TransportError/noSuchImage(_:)``, `SystemError`.
    public func run(layout path: ByteString, reference: String? = nil) throws -> ValidationReport {
        let files = try LayoutFiles(Files.open(path, [.readOnly, .directory]))
        guard try files.size(of: "index.json") != nil || files.size(of: "oci-layout") != nil else {
            throw TransportError.noImages(path, reason: "it has neither an index.json nor an oci-layout")
        }
        var check = LayoutCheck(files, FileCheck(files, limit, progress: progress))
        try check.run(reference)
        return check.finished
    }

    /// Checks the tar archive `path`: an image layout, what `docker save` writes, or both in one.
    ///
    /// - Parameters:
    ///   - reference: check only the images of this name; nil for all, and all blobs.
    ///   - onlyDocker: leave out the image layout of an archive that is both.
    /// - Throws: as ``run(layout:reference:)``, and `TarError` when it is no tar.
    public func run(
        archive path: ByteString, reference: String? = nil, onlyDocker: Bool = false
    ) throws -> ValidationReport {
        let files = try ArchiveFiles(ArchiveFile.open(path, limit, scratch: scratch))
        let isLayout = try files.size(of: "index.json") != nil || files.size(of: "oci-layout") != nil
        let isDocker = try files.size(of: "manifest.json") != nil
        guard isDocker || isLayout && !onlyDocker else {
            throw TransportError.noImages(path, reason: "the archive has neither an index.json nor a manifest.json")
        }
        let reading = FileCheck(files, limit, progress: progress)
        var report = ValidationReport()
        if isLayout, !onlyDocker {
            var check = LayoutCheck(files, reading)
            try check.run(reference)
            report = check.finished
            // Its names for Docker are others: what was asked for was found.
            if reference != nil { return report }
        }
        if isDocker {
            var check = DockerArchiveCheck(files, reading, report)
            try check.run(reference)
            report = check.finished
        }
        return report
    }
}

extension FileCheck {
    /// The layer in the file `name`, its content compared with `diffID`, noted in `report` with what is wrong.
    ///
    /// - Parameter compression: nil for what its first bytes say.
    /// - Returns: nil when its bytes could not be read.
    func layer(
        _ name: String, _ compression: Compression?, diffID: DiffID?, index: Int, place: String,
        _ report: inout ValidationReport
    ) throws -> ValidationReport.Layer? {
        do {
            let content = try content(name, compression)
            if let diffID, content.diffID != diffID {
                throw TransportError.diffIDMismatch(layer: index, expected: diffID, actual: content.diffID)
            }
            let stored = try stored(name)
            return ValidationReport.Layer(
                digest: "\(stored.digest)", size: stored.size, contentSize: content.size, diffID: "\(content.diffID)")
        } catch {
            report.problems.append(try ImageProblem(error, name, place))
            guard hasRead(name) else { return nil }
            let stored = try stored(name)
            return ValidationReport.Layer(digest: "\(stored.digest)", size: stored.size)
        }
    }
}

extension ImageConfiguration {
    /// What is wrong with the history, by practice: it has one step that made a layer for each layer.
    func historyProblem(_ file: String, _ place: String) -> ImageProblem? {
        let steps = history.count { !$0.isEmptyLayer }
        guard !history.isEmpty, steps != diffIDs.count else { return nil }
        return ImageProblem(
            .count, file, place, "the history has \(steps) steps with a layer, but there are \(diffIDs.count) layers")
    }
}

extension [ValidationReport.Layer] {
    /// Fills in the chain of layers as far as their contents are `diffIDs`.
    mutating func chain(_ diffIDs: [DiffID]) {
        for index in indices {
            guard index < diffIDs.count, self[index].diffID == "\(diffIDs[index])" else { return }
            self[index].chainID = ChainID(of: Array<DiffID>(diffIDs[...index])).map { "\($0)" }
        }
    }
}
