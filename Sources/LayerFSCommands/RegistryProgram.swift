import Bytes
import Posix

/// `layerfs-registry`, the program that speaks to registries: `layerfs push` becomes it, as git becomes git-remote-https. The
/// network is no part of layerfs itself, which would be bigger and slower to start with it.
enum RegistryProgram {
    static let name: ByteString = "layerfs-registry"

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
