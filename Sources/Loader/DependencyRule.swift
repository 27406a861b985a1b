public import Bytes

/// A known dependency that no ELF file states: when it exists, what it brings, and why. Rules are data; what they bring
/// is searched in the root as the loader would.
public struct DependencyRule: Hashable, Sendable {
    public let id: RuleID
    /// The version of the table that the rule came, or last changed, with.
    public let version: Int
    /// Whose C library the rule is about; nil for both.
    public let library: Library?
    public let trigger: Trigger
    public let action: Action
    /// Why what the rule brings is needed: half a sentence for a person.
    public let reason: String

    public init(
        _ id: RuleID, version: Int, library: Library? = nil, when trigger: Trigger, _ action: Action,
        because reason: String
    ) {
        self.id = id
        self.version = version
        self.library = library
        self.trigger = trigger
        self.action = action
        self.reason = reason
    }

    public enum Library: String, Hashable, Sendable, Codable {
        case glibc, musl
    }

    public enum Trigger: Hashable, Sendable {
        /// An object of the program imports one of these functions.
        case imports(Set<ByteString>)
        /// Every object of the program.
        case always
    }

    public enum Action: Hashable, Sendable {
        /// Takes a library that one of the objects with the sonames `openedBy`, the first that is loaded, loads on
        /// demand.
        case library(ByteString, openedBy: [ByteString])
        /// Takes, or mentions, the modules of the name service switch: those for the services that the root's
        /// /etc/nsswitch.conf lists for `database`, or lists by default. Those in `builtIn` are part of libc since glibc
        /// `since`, and taken before; others are mentioned.
        case nameService(database: ByteString, byDefault: [ByteString], builtIn: Set<ByteString>, since: GlibcVersion)
        /// Takes a file named after the object: beside it where `folder` is nil, and whether or not the object was
        /// found by a link.
        case companion(folder: ByteString?, prefix: ByteString, suffix: ByteString)
        /// Tells of a preset that may be wanted.
        case suggest(preset: String)
    }
}

/// The name of a ``DependencyRule``: stable, and part of what is stored.
public struct RuleID: RawRepresentable, Hashable, Sendable, Codable, ExpressibleByStringLiteral,
    CustomStringConvertible
{
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public init(stringLiteral value: String) { rawValue = value }

    public var description: String { rawValue }
}
