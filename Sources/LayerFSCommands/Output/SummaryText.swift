import Bytes
import Digests
import LayerFSKit
import LayerStore
import OCI
import Trees

/// The one line in which a command says what it did.
package enum SummaryText {
    static func added(_ addition: AddLayers.Addition) -> String {
        let verb =
            switch addition.outcome {
            case .created: "added"
            case .replaced: "replaced"
            case .unchanged: "unchanged"
            }
        return "\(verb) \(addition.name): \(size(addition.tree, addition.cost))"
    }

    static func previewed(_ preview: PreviewLayers.Preview) -> String {
        "would add \(preview.name): \(size(preview.tree, preview.cost))"
    }

    private static func size(_ tree: Tree, _ cost: LayerCost) -> String {
        let known = cost.contents - cost.newContents
        let new =
            cost.newContents == 0
            ? "nothing new" : "\(cost.newContents) new, \(ByteCount(cost.newBytes)); \(known) already there"
        return "\(tree.entries.count) entries, \(cost.contents) contents, \(ByteCount(cost.bytes)) (\(new))"
    }

    static func composed(_ result: ComposeImage.Result, name: Name?) -> String {
        let tree = result.composition.tree
        let size = "\(tree.entries.count) entries, \(ByteCount(tree.size)) in \(result.selection.layers.count) layers"
        guard let name, let outcome = result.outcome else {
            return "\(result.selection.expression) composes: \(size). Nothing was stored; -t NAME keeps it as an image"
        }
        let verb =
            switch outcome {
            case .created: "composed"
            case .replaced: "replaced"
            case .unchanged: "unchanged"
            }
        return "\(verb) \(name): \(size)"
    }

    static func settled(_ conflict: Conflict, _ policy: ConflictPolicy) -> String {
        let (layer, path) =
            policy == .last ? (conflict.upper, conflict.upperPath) : (conflict.lower, conflict.lowerPath)
        let taken = conflict.lower == conflict.upper ? "\(path)" : layer
        return "\(conflict.path): \(conflict); took that of \(taken)"
    }

    static func exported(_ result: ExportImage.Result, _ expression: RootExpression) -> String {
        let path = result.target.path
        let place = path == ExportImage.Target.standardOutput ? "standard output" : "\(path)"
        guard let manifest = result.manifest else {
            return "exported \(expression) to \(place)" + (result.diffIDs.first.map { ": \($0)" } ?? "")
        }
        let size = result.layers.reduce(0) { $0 + UInt64(clamping: $1.size) }
        return
            "exported \(expression) to \(place): \(result.layers.count) layers, \(ByteCount(size)), manifest \(manifest.digest)"
    }

    static func collected(_ report: GarbageReport) -> [String] {
        let (verb, total) = (report.dryRun ? "would remove" : "removed", report.total)
        let kinds = [
            (report.blobs, "blobs"), (report.nodes, "further nodes"), (report.staging, "staged files"),
            (report.cache, "cached files"),
        ].filter { $0.0.count > 0 }.map { "\($0.0.count) \($0.1)" }
        var lines = [
            "\(verb) \(kinds.isEmpty ? "nothing" : kinds.joined(separator: ", ")); \(report.live) blobs are in use"
        ]
        if total.count > 0 {
            let freed = "\(report.dryRun ? "would free" : "freed") \(ByteCount(total.freed)) of disk"
            lines[0] += "; \(freed)"
            if report.blobs.bytes > 0, total.freed < report.blobs.bytes {
                lines.append("  the rest of \(ByteCount(total.bytes)) stays in roots that share it by hard links")
            }
        }
        if report.young > 0 { lines.append("  kept \(report.young) unused files that are younger than was asked for") }
        return lines
    }

    static func mounted(_ summary: MountSummary, _ expression: RootExpression, at directory: String) -> String {
        let new =
            summary.madeLayers == 0
            ? "all made before"
            : "\(summary.madeLayers) new: \(summary.made.linked) files linked, \(summary.made.copied) copied"
        return "mounted \(expression) on \(directory): \(summary.layers) layer\(summary.layers == 1 ? "" : "s"), \(new)"
    }

    static func materialized(_ summary: MaterializeSummary, at directory: String) -> String {
        var parts: [String] = []
        if summary.linked > 0 { parts.append("\(summary.linked) linked (\(ByteCount(summary.linkedBytes)))") }
        if summary.reflinked > 0 {
            parts.append("\(summary.reflinked) reflinked (\(ByteCount(summary.reflinkedBytes)))")
        }
        if summary.copied > 0 { parts.append("\(summary.copied) copied (\(ByteCount(summary.copiedBytes)))") }
        parts.append("\(summary.symlinks) symlinks, \(summary.directories) directories")
        var text = "made \(directory): " + parts.joined(separator: ", ")
        for (reason, count) in summary.fallbacks.sorted(by: { $0.key < $1.key }) {
            text += "\n  \(count) copied instead of shared: \(reason)"
        }
        if summary.skippedDevices > 0 {
            text += "\n  \(summary.skippedDevices) device nodes left out: making them needs --devices and root"
        }
        return text
    }
}
