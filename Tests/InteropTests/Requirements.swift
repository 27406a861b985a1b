import TestSupport
import Testing

extension Trait where Self == ConditionTrait {
    /// What a test cannot do without. Where it is absent the test is skipped, but in CI it is run, and fails for want of it.
    static func needs(_ tools: String..., root: Bool = false) -> Self {
        let missing = tools.filter { !Tool.isAvailable($0) }
        let lacksRoot = root && !isRoot && !isCI
        let reasons =
            (missing.isEmpty ? [] : ["no \(missing.joined(separator: ", "))"]) + (lacksRoot ? ["not root"] : [])
        return .enabled(if: reasons.isEmpty, "\(reasons.joined(separator: "; "))")
    }
}

/// Records where `tree` differs from `expected`.
func expect(_ tree: TreeListing, equals expected: TreeListing, sourceLocation: SourceLocation = #_sourceLocation) {
    let differences = tree.differences(from: expected)
    #expect(differences == [], sourceLocation: sourceLocation)
}
