import Bytes
import Digests
import ImageTransport
import LayerStore
import Posix
import Trees

extension ExportImage {
    /// Writes the bare tree, without a configuration.
    ///
    /// - Parameter part: what would be its layer.
    func tree(
        _ tree: Tree, _ part: LayerPart, to target: Target, _ options: Options, _ exporter: ImageExporter
    ) throws -> Result {
        if options.form != .diff || options.maximumLayers != nil || options.isStargz {
            throw LayerFSError.malformedOption(
                name: "target", value: "\(target.path)",
                expected: "an image: --layers, --max-layers and --estargz are for targets with layers")
        }
        var exporter = exporter
        let entries = tree.entries.dropFirst()
        switch target {
        case .squashfs(let path): return try fileSystem(.squashfs, entries, at: path, options, exporter)
        case .erofs(let path): return try fileSystem(.erofs, entries, at: path, options, exporter)
        case .cpio(let path):
            exporter.compressionLevel = options.compressionLevel
            let compression = try options.compression(for: target)
            // With the root: the kernel sets the mode of its own root by it.
            let left =
                target.isStandardOutput
                ? try exporter.writeCpio(tree.entries, to: StandardOutput.take(), compression: compression)
                : try exporter.writeCpio(tree.entries, at: path, compression: compression)
            return Result(target: target, layers: [], diffIDs: [], warnings: Self.warnings(tree, left))
        default:
            exporter.compressionLevel = options.compressionLevel
            let compression = try options.compression(for: target)
            let written =
                target.isStandardOutput
                ? try exporter.writeTar(entries, to: StandardOutput.take(), compression: compression)
                : try exporter.writeTar(entries, at: target.path, compression: compression) { part.knownDiffID }
            return Result(target: target, layers: [], diffIDs: [written.diffID.description])
        }
    }

    private func fileSystem(
        _ kind: FileSystemBuilder.Kind, _ entries: Tree.Entries, at path: ByteString, _ options: Options,
        _ exporter: ImageExporter
    ) throws -> Result {
        let builder = try FileSystemBuilder(
            kind, searchPath: options.searchPath, compression: options.compression, level: options.compressionLevel,
            scratch: options.scratchDirectory)
        let written = try exporter.writeFileSystem(entries, at: path, by: builder)
        return Result(
            target: kind == .squashfs ? .squashfs(path) : .erofs(path), layers: [],
            diffIDs: [written.diffID.description])
    }

    private static func warnings(_ tree: Tree, _ left: [TreePath]) -> [String] {
        var warnings: [String] = []
        if !left.isEmpty {
            warnings.append(
                "cpio has no extended attributes: those of \(left[0])\(left.count > 1 ? " and \(left.count - 1) more" : "") were left out"
            )
        }
        let hasInit = try? tree[TreePath("/init")] != nil
        if hasInit != true {
            warnings.append(
                "there is no /init: to boot it, say on the kernel's command line which program to run, as rdinit=/bin/sh"
            )
        }
        return warnings
    }
}
