public import Bytes
public import Loader
import Trees

/// What a check of a root found.
public struct RootCheck: Sendable {
    /// How many programs and libraries were looked at, because they can be started or loaded.
    public var examined = 0
    /// What does not resolve inside the root. Empty when every program can start.
    public var problems: [Problem] = []
    /// What does not resolve either, and is no reason to refuse the root.
    public var remarks: [Problem] = []

    public var isSound: Bool { problems.isEmpty }

    /// One thing that is lacking, for all the files that lack it alike.
    public struct Problem: Hashable, Sendable {
        public var subject: Subject
        /// The programs that it keeps from starting, sorted. Never empty.
        public var programs: [TreePath]
    }

    /// What is wrong.
    public enum Subject: Hashable, Sendable {
        /// A library, an interpreter, a symbol version.
        case unresolved(UnresolvedDependency)
        /// A file that is to be started and cannot be.
        case program(ProgramError)
        /// The root's own command, which it does not have.
        case command(String, ProgramError)
    }
}

extension RootCheck.Problem: CustomStringConvertible {
    public var description: String {
        switch subject {
        case .unresolved(let dependency):
            "\(dependency.name): \(dependency.cause); \(dependency.kind) of \(dependency.neededBy)" + others(dependency)
        case .program(let error): "\(error)"
        case .command(let command, let error): "the root's command \(command): \(error)"
        }
    }

    /// The programs that the dependency's owner is a part of, when it is not the only one itself.
    private func others(_ dependency: UnresolvedDependency) -> String {
        let others = programs.filter { $0 != dependency.neededBy }
        guard let first = others.first else { return "" }
        return ", for \(first)" + (others.count > 1 ? " and \(others.count - 1) more" : "")
    }

    /// Where it was looked for.
    public var attempts: [SearchAttempt] {
        if case .unresolved(let dependency) = subject { dependency.attempts } else { [] }
    }
}
