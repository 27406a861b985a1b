/// The version of a GNU C library, on which some rules of the search depend.
public struct GlibcVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let major: Int
    public let minor: Int

    public init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    public static func < (left: GlibcVersion, right: GlibcVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    public var description: String { "\(major).\(minor)" }

    /// Whether subdirectories named by platform and capabilities (`tls/`, `x86_64/`) are searched: 2.37 removed them.
    var searchesLegacySubdirectories: Bool { self < GlibcVersion(2, 37) }
}
