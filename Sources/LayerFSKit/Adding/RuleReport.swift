import Bytes
import Loader

/// What the rules brought: dependencies that no file states (``RuleTable``).
public enum RuleReport {
    /// A line for each rule and file, however many programs it fired for.
    public static func lines(for layers: [LayerRequest]) -> [String] {
        var programs: [Firing: [String]] = [:]
        var order: [Firing] = []
        for layer in layers {
            for edge in layer.plan.closures.flatMap(\.edges) {
                guard case .rule(let id) = edge.kind, let from = edge.from else { continue }
                let firing = Firing(rule: id, file: edge.to.description)
                if programs[firing] == nil { order.append(firing) }
                let name = from.name.description
                if programs[firing]?.contains(name) != true { programs[firing, default: []].append(name) }
            }
        }
        return order.map { firing in
            let names = programs[firing] ?? []
            let shown = names.prefix(shownNames).joined(separator: ", ")
            let more = names.count > shownNames ? " and \(names.count - shownNames) more" : ""
            let reason = RuleTable.rules.first { $0.id == firing.rule }.map { ": " + $0.reason } ?? ""
            return "rule \(firing.rule) took \(firing.file) for \(shown)\(more)\(reason)"
        }
    }

    private struct Firing: Hashable {
        let rule: RuleID
        let file: String
    }

    private static let shownNames = 3
}
