public import Bytes
import Foundation
public import Posix
public import Trees

/// What layerfs takes from its process's environment, as values.
public struct Environment: Sendable {
    private let variables: [String: String]

    public init(_ variables: [String: String]) { self.variables = variables }

    /// The environment of this process.
    public static var current: Environment { Environment(ProcessInfo.processInfo.environment) }

    /// Where the store is: `option`, else LAYERFS_STORE, else `layerfs` in XDG_DATA_HOME, else `~/.local/share/layerfs`.
    ///
    /// - Parameter currentDirectory: that to which a relative place is relative; asked for only then.
    /// - Throws: ``LayerFSError/noStoreLocation`` when none of them is set.
    public func storePath(
        option: ByteString?, currentDirectory: () throws(SystemError) -> ByteString
    ) throws(LayerFSError) -> ByteString {
        let path: ByteString
        if let chosen = option ?? value("LAYERFS_STORE").map({ ByteString($0) }) {
            path = chosen
        } else if let data = value("XDG_DATA_HOME"), data.hasPrefix("/") {
            // A relative XDG directory is to be ignored (XDG Base Directory Specification, Basics).
            path = ByteString(data + "/layerfs")
        } else if let home = value("HOME") {
            path = ByteString(home + "/.local/share/layerfs")
        } else {
            throw .noStoreLocation
        }
        guard !path.isEmpty, !path.contains(0) else { throw .relativeStore(path.description) }
        if path.bytes.first == UInt8(ascii: "/") { return path }
        do {
            return try currentDirectory() + "/" + path
        } catch {
            throw .system(step: "find the current directory, to which the store's path is relative", error)
        }
    }

    /// The time that no time in an image may exceed (reproducible-builds.org, SOURCE_DATE_EPOCH); nil when it is not set.
    ///
    /// - Throws: ``LayerFSError/malformedSourceDateEpoch(_:)``.
    public func sourceDateEpoch() throws(LayerFSError) -> Timestamp? {
        guard let text = value("SOURCE_DATE_EPOCH") else { return nil }
        guard let seconds = Int64(text), seconds >= 0 else { throw .malformedSourceDateEpoch(text) }
        return Timestamp(seconds: seconds)
    }

    /// The home directory of whoever runs layerfs; nil when it is not set.
    public var home: ByteString? { value("HOME").map { ByteString($0) } }

    /// The directories in which a program is looked for by name.
    public var searchPath: [ByteString] {
        (value("PATH") ?? Self.defaultPath).split(separator: ":").map { ByteString(String($0)) }
    }

    /// The PATH of images that are not given one.
    public static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Where files that have no better place are put together: `$TMPDIR`, else `/var/tmp`, which is not kept in memory.
    public var temporaryDirectory: ByteString { value("TMPDIR").map { ByteString($0) } ?? "/var/tmp" }

    /// The variable `name`; nil when it is unset or empty.
    public func value(_ name: String) -> String? {
        variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}
