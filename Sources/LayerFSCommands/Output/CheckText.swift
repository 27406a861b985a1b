import Bytes
import LayerFSKit
import Loader
import Trees

/// What a check says to a person.
enum CheckText {
    static func lines(_ problem: RootCheck.Problem) -> [String] {
        ["\(problem)"] + problem.attempts.map { "  tried \($0.path) (\($0.place)): \($0.rejection)" }
    }

    static func sound(_ check: RootCheck, _ expression: RootExpression) -> String {
        "\(expression) is complete: \(check.examined) programs and libraries find all they need"
    }

    /// The last line, which `check` and `compose --strict` end with.
    static func unsound(_ error: UnsoundRoot) -> String {
        let count = error.check.problems.count
        return "\(error.expression) is not complete: \(count) thing\(count == 1 ? " is" : "s are") lacking"
    }

    /// What `compose` warns of: not a wall.
    static func warnings(_ check: RootCheck, _ expression: RootExpression) -> [String] {
        let shown = check.problems.prefix(3).map { "\($0)" }
        let rest = check.problems.count - shown.count
        return shown + (rest > 0 ? ["and \(rest) more things are lacking: layerfs check \(expression)"] : [])
    }
}

/// What `check --json` says.
struct CheckReport: Codable {
    var examined: Int
    var problems: [Problem]
    var remarks: [Problem]

    struct Problem: Codable {
        var message: String
        /// What is lacking; nil for a program that cannot be started at all.
        var name: String?
        var kind: String?
        var neededBy: String?
        var programs: [String]
        var tried: [String]
    }

    init(_ check: RootCheck) {
        examined = check.examined
        problems = check.problems.map(Problem.init)
        remarks = check.remarks.map(Problem.init)
    }
}

extension CheckReport.Problem {
    init(_ problem: RootCheck.Problem) {
        self.init(
            message: "\(problem)", programs: problem.programs.map(\.description),
            tried: problem.attempts.map(\.path.description))
        if case .unresolved(let dependency) = problem.subject {
            (name, kind) = (dependency.name.description, dependency.kind.rawValue)
            neededBy = dependency.neededBy.description
        }
    }
}
