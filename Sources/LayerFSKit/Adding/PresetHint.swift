import Bytes
import LayerStore
import Loader

/// Which presets programs want.
public enum PresetHint {
    /// One line that names what the closures of `layers` suggest and no layer has; nil for nothing.
    public static func line(for layers: [LayerRequest]) -> String? {
        let taken = Set(layers.flatMap(\.plan.presets))
        let names = Set(layers.flatMap { $0.plan.edges.compactMap(\.name) }.map { soname($0) })
        let suggested = Set(layers.flatMap(\.plan.closures).flatMap(\.notes).compactMap(\.suggestedPreset))
        let wanted = Preset.all.filter { preset in
            !taken.contains(preset.name)
                && (suggested.contains(preset.name) || preset.suggestedBy.contains(where: names.contains))
        }
        guard !wanted.isEmpty else { return nil }
        // The names of many say enough, and more would not fit into a line.
        let purposes = wanted.count > 2 ? "" : ": " + wanted.map(\.purpose).joined(separator: ", ")
        return "hint: --with \(wanted.map(\.name).joined(separator: ",")) adds what these programs may want\(purposes)"
    }

    /// `libssl` of `libssl.so.3`.
    private static func soname(_ name: ByteString) -> ByteString {
        let mark = name.bytes.firstRange(of: Array(".so".utf8))
        return ByteString(name.bytes[..<(mark?.lowerBound ?? name.count)])
    }
}

extension ClosureNote {
    fileprivate var suggestedPreset: String? {
        if case .presetSuggested(let preset, _, _) = self { preset } else { nil }
    }
}
