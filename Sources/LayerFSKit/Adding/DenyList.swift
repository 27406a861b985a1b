import Bytes
import Posix

/// Decides which files of the host may go into a layer.
///
/// Neither a link to a file nor a directory that holds it lets it through: asked about is the place without links. What
/// programs need to start is not asked about.
struct DenyList: Sendable {
    private let rules: [(rule: DenyRule, globs: [PathGlob])]
    private let keyNames: [PathGlob]
    private let allowed: [TreePath]
    /// The names of what a rule may be about.
    private let marks: NameMarks
    private let keyMarks: NameMarks

    /// - Parameters:
    ///   - home: the home directory of whoever runs layerfs, which need not lie in /home.
    ///   - allowed: what a person named as to be let through, without links.
    init(home: TreePath?, allowed: [TreePath]) throws(LayerFSError) {
        var rules = DenyRule.all
        if let home, !home.isRoot {
            let pattern = home.bytes.bytes.flatMap { $0 == UInt8(ascii: "/") ? [$0] : [UInt8(ascii: "\\"), $0] }
            rules.append(DenyRule(name: "home", meaning: "your home directory", patterns: [ByteString(pattern)]))
        }
        self.rules = try rules.map { rule throws(LayerFSError) in (rule, try Self.globs(rule.patterns)) }
        keyNames = try Self.globs(DenyRule.keyNames)
        marks = NameMarks(self.rules.flatMap(\.globs))
        keyMarks = NameMarks(keyNames)
        self.allowed = allowed
    }

    private static func globs(_ patterns: [ByteString]) throws(LayerFSError) -> [PathGlob] {
        try patterns.map { pattern throws(LayerFSError) in try PathGlob(pattern) }
    }

    /// Why `path` may not be taken; nil when it may.
    ///
    /// What is allowed must be named as narrowly as the rule is: allowing a directory lets through what the rule of that
    /// directory refuses, not the keys that lie in it.
    func denial(of path: TreePath) -> Denial? {
        for (rule, globs) in rules {
            guard let subject = topmost(path, matching: globs) else { continue }
            if allowed.contains(where: { path.isWithin($0) && $0.isWithin(subject) }) { continue }
            return Denial(path: path.bytes, rule: rule.name, meaning: rule.meaning)
        }
        return nil
    }

    /// Whether a rule is about `path` itself, and not only about a directory that it lies in.
    func concerns(_ path: TreePath) -> Bool {
        mayConcern(path.name) && rules.contains { $0.globs.contains { $0.matches(path) } }
    }

    /// Whether a rule may be about a path with this `name`: of most this tells that none is.
    func mayConcern(_ name: ByteString) -> Bool { name.bytes.withUnsafeBytes { marks.may($0) } }

    /// Whether a file of this name may be looked into by ``denial(ofContent:at:)``.
    func mayLookInto(_ name: UnsafeRawBufferPointer) -> Bool { keyMarks.may(name) }

    /// Why the regular file at `source`, which is `path` of its root, may not be taken because of what it holds.
    ///
    /// - Throws: `SystemError` when it cannot be read.
    func denial(ofContent source: ByteString, at path: TreePath) throws(SystemError) -> Denial? {
        guard keyNames.contains(where: { $0.matches(path) }), !allowed.contains(path) else { return nil }
        let bytes = try Files.open(source, [.readOnly, .noFollow, .nonBlocking]).readPrefix(DenyRule.keyReach)
        guard bytes.firstRange(of: DenyRule.keyMark.bytes) != nil else { return nil }
        return Denial(path: path.bytes, rule: DenyRule.keyContent.name, meaning: DenyRule.keyContent.meaning)
    }

    /// The outermost of `path` and the directories it lies in that one of `globs` is a pattern of.
    private func topmost(_ path: TreePath, matching globs: [PathGlob]) -> TreePath? {
        var (path, found): (TreePath, TreePath?) = (path, nil)
        while !path.isRoot {
            if globs.contains(where: { $0.matches(path) }) { found = path }
            path = path.parent
        }
        return found
    }
}
