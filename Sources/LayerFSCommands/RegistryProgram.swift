import Bytes
import Posix

/// `layerfs-registry`, the program that speaks to registries: `layerfs push` becomes it, as git becomes git-remote-https. The
/// network is no part of layerfs itself, which would be bigger and slower to start with it.
enum RegistryProgram {
    static let name: ByteString = "layerfs-registry"
    private static let verbs = ["push", "pull", "ls-remote", "login", "logout"]

    /// Runs `layerfs-registry` in place of this process if the first of `arguments` names one of its verbs, unless that has nothing to
    /// do, as a registry on this machine says: then it is done.
    ///
    /// The parser's tables are not asked: they would say the same, and take longer than the kernel takes to execute a program.
    ///
    /// - Returns: whether a verb was done.
    /// - Throws: as ``become(verb:_:)``, and as ``NearbyVerb/isDone(_:)``.
    static func becomeIfAsked(_ arguments: [String]) throws -> Bool {
        guard let verb = verb(of: arguments) else { return false }
        let rest = Array(arguments.dropFirst())
        let isDone =
            switch verb {
            case "push": try NearbyPush.isDone(rest)
            case "pull": try NearbyPull.isDone(rest)
            default: false
            }
        if isDone { return true }
        // The other would not know that it was told to end.
        try Interruption.check()
        try become(verb: verb, rest)
    }

    /// The verb of `layerfs-registry` that `arguments` begin with. What the parser keeps for itself (scripts for completion, and words
    /// that no program may have) is left to it.
    static func verb(of arguments: [String]) -> String? {
        guard let verb = arguments.first, verbs.contains(verb),
            !arguments.contains(where: { $0.hasPrefix("---") || $0.hasPrefix("--generate-completion-script") })
        else { return nil }
        return verb
    }

    /// Runs `layerfs-registry VERB …` in place of this process, with the arguments as the kernel passed them.
    ///
    /// - Throws: ``Missing``, or `SystemError` when it cannot be executed.
    static func become(verb: String, _ arguments: [String]) throws -> Never {
        let path = try find(beside: CurrentProcess.executable())
        try CurrentProcess.become(path, [name, ByteString(verb)] + arguments.map { ByteString(argument: $0) })
    }

    /// The program beside `executable`. PATH is not searched: whatever has the name there need not be of this version, nor of
    /// whoever installed this.
    static func find(beside executable: ByteString) throws -> ByteString {
        let slash = executable.bytes.lastIndex(of: UInt8(ascii: "/")) ?? executable.bytes.startIndex
        let directory = ByteString(executable.bytes[..<slash])
        let path = directory + "/" + name
        guard try Files.statusIfPresent(path, followingLink: true)?.kind == .regular else { throw Missing(directory) }
        return path
    }

    /// The program is not where it belongs.
    struct Missing: Error, CustomStringConvertible {
        let directory: ByteString

        init(_ directory: ByteString) { self.directory = directory }

        var description: String {
            "registries need the program layerfs-registry, which is not in \(directory) beside layerfs. "
                + "`make registry` builds it, `make install` installs both"
        }
    }
}
