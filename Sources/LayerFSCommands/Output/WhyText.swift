import LayerFSKit

/// Why a path is in a root, as a person reads it.
enum WhyText {
    static func lines(_ answer: WhyPath.Answer) -> [String] {
        [answer.path + (answer.target.map { " -> \($0)" } ?? "") + " (\(answer.kind))"]
            + answer.layers.flatMap { reason in
                ["layer    \(reason.layer)"] + facts(reason) + because(reason)
            }
    }

    private static func facts(_ reason: WhyPath.Reason) -> [String] {
        var lines: [String] = []
        if let example = reason.example { lines.append("holds    \(example)") }
        if let source = reason.source { lines.append("host     \(source)") }
        if let package = reason.package { lines.append("package  \(package)") }
        if reason.isGenerated { lines.append("content  made up by layerfs") }
        return lines
    }

    private static func because(_ reason: WhyPath.Reason) -> [String] {
        let origin = reason.origin.map { ["because  \($0)"] } ?? []
        if reason.chain.isEmpty, origin.isEmpty {
            return ["because  it is a directory, or a link of a merged /usr, that comes with what lies in it"]
        }
        return origin + steps(reason.chain, indent: origin.isEmpty ? "because  " : "         ")
    }

    private static func steps(_ chain: [WhyPath.Step], indent: String) -> [String] {
        chain.enumerated().flatMap { index, step -> [String] in
            var line = (index == 0 ? indent : "         ") + (step.from == nil ? "asked for" : step.kind)
            if let name = step.name { line += " \(name)" }
            line += " => \(step.to)"
            if index == 0, let from = step.from { line += ", by \(from)" }
            if let found = step.found { line += " (\(found))" }
            return [line] + (step.via.isEmpty ? [] : ["           through \(step.via.joined(separator: ", "))"])
        }
    }
}
