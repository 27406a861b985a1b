import Bytes

/// How one file can ask for another.
///
/// ``rawValue`` is the stable text that is stored and printed as data.
public enum DependencyKind: Hashable, Sendable {
    /// Asked for by the user.
    case program
    /// PT_INTERP.
    case interpreter
    /// DT_NEEDED, DT_FILTER, DT_AUXILIARY.
    case needed, filter, auxiliary
    /// DT_AUDIT or DT_DEPAUDIT.
    case audit
    /// /etc/ld.so.preload.
    case preload
    /// The file that tells musl's loader where libraries are: `/etc/ld-musl-ARCHITECTURE.path`.
    case pathFile
    /// A `.note.dlopen` note.
    case dlopen
    /// A known dependency that no file states: a ``DependencyRule``.
    case rule(RuleID)
    /// The interpreter in a script's `#!` line.
    case shebang
    /// The command that env(1) looks up for a script.
    case env
    /// /bin/sh, which runs an executable text without a `#!` line.
    case shell
}

extension DependencyKind: RawRepresentable, Codable {
    public var rawValue: String {
        switch self {
        case .program: "program"
        case .interpreter: "interpreter"
        case .needed: "needed"
        case .filter: "filter"
        case .auxiliary: "auxiliary"
        case .audit: "audit"
        case .preload: "preload"
        case .pathFile: "path-file"
        case .dlopen: "dlopen"
        case .rule(let id): Self.rulePrefix + id.rawValue
        case .shebang: "shebang"
        case .env: "env"
        case .shell: "shell"
        }
    }

    public init?(rawValue: String) {
        if rawValue.hasPrefix(Self.rulePrefix) {
            self = .rule(RuleID(rawValue: String(rawValue.dropFirst(Self.rulePrefix.count))))
            return
        }
        guard let kind = Self.plain.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = kind
    }

    private static let rulePrefix = "rule:"

    private static let plain: [DependencyKind] = [
        .program, .interpreter, .needed, .filter, .auxiliary, .audit, .preload, .pathFile, .dlopen, .shebang, .env,
        .shell,
    ]
}
