public import Bytes
import Trees

/// Takes whatever a source is into the store.
public struct Import: Sendable {
    private let workspace: Workspace
    private let scratch: ByteString
    private let home: ByteString?

    /// - Parameters:
    ///   - workspace: opened with `Store.Access.adding`.
    ///   - scratch: where an archive that is compressed is laid out.
    ///   - home: the home directory of whoever runs layerfs.
    public init(_ workspace: Workspace, scratch: ByteString, home: ByteString?) {
        (self.workspace, self.scratch, self.home) = (workspace, scratch, home)
    }

    /// - Returns: what was imported, in the order in which it was found.
    /// - Throws: as ``ImportImages``, ``ImportTar`` and ``ImportDirectory``.
    public func run(
        _ source: ImportSource, _ options: ImportOptions, progress: ProgressMeter = .none
    ) throws -> [ImportSummary] {
        var options = options
        options.name = options.name ?? source.usualName.flatMap { try? Name($0) }
        switch source {
        case .image(let location):
            return try ImportImages(workspace).run(location, options, scratch: scratch, progress: progress)
        case .tar(let path): return [try ImportTar(workspace).run(path, options, progress: progress)]
        case .directory(let path):
            return [try ImportDirectory(workspace, home: home).run(path, options, progress: progress)]
        }
    }
}
