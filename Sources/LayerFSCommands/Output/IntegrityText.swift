import LayerStore

/// A store is damaged, as was reported.
struct DamagedStore: Error, CustomStringConvertible {
    let count: Int

    init(_ report: IntegrityReport) { count = report.damages.count { $0.repair == nil } }

    var description: String { "\(count) thing\(count == 1 ? " is" : "s are") damaged and not repaired" }
}

/// What a check found, in words.
enum IntegrityText {
    /// One damage, and what it touches.
    static func lines(_ damage: IntegrityReport.Damage) -> [String] {
        var lines = ["\(damage.kind.rawValue) \(damage.place): \(damage.detail)"]
        if !damage.layers.isEmpty { lines.append("  layers: \(damage.layers.joined(separator: ", "))") }
        if !damage.images.isEmpty { lines.append("  images: \(damage.images.joined(separator: ", "))") }
        lines += damage.paths.map { "  file: \($0.path) of \($0.layer)" }
        if let repair = damage.repair { lines.append("  \(repair)") }
        return lines
    }

    static func summary(_ report: IntegrityReport) -> String {
        let checked =
            "checked \(report.blobs) blobs (\(ByteCount(report.bytes))), "
            + (report.elsewhere > 0 ? "\(report.elsewhere) in further stores, " : "")
            + "\(report.nodes) further nodes, \(report.layers) layers, \(report.images) images"
        let repaired = report.damages.count { $0.repair != nil }
        let rest = report.damages.count - repaired
        if report.damages.isEmpty { return "\(checked): all is well" }
        return "\(checked): \(report.damages.count) damaged"
            + (repaired > 0 ? ", \(repaired) repaired" : "") + (rest > 0 ? ", \(rest) left" : "")
    }
}
