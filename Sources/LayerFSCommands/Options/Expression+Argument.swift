import ArgumentParser
import Trees

extension Expression: ExpressibleByArgument {
    /// A malformed expression is reported by ``ArgumentProblem``, with what is wrong about it.
    public init?(argument: String) {
        guard let expression = try? Expression(argument) else { return nil }
        self = expression
    }
}

extension Name: ExpressibleByArgument {
    public init?(argument: String) {
        guard let name = try? Name(argument) else { return nil }
        self = name
    }
}
