import Loader

/// What is missing, who needs it, and where it was looked for.
enum UnresolvedText {
    static func lines(_ dependencies: [UnresolvedDependency]) -> [String] {
        let count = dependencies.count
        return ["\(count) dependenc\(count == 1 ? "y is" : "ies are") unresolved; nothing was stored"]
            + dependencies.flatMap { dependency in
                ["  \(dependency.name), needed by \(dependency.neededBy): \(dependency.cause)"]
                    + dependency.attempts.map { "    \($0)" }
            }
    }
}
