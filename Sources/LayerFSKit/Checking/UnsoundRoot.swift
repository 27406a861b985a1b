public import Trees

/// A root in which some program lacks something, where that was to be refused.
public struct UnsoundRoot: Error {
    public let expression: RootExpression
    /// Has problems.
    public let check: RootCheck

    public init(expression: RootExpression, check: RootCheck) {
        (self.expression, self.check) = (expression, check)
    }
}
