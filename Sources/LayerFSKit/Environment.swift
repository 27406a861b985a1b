public import Bytes
import Glibc
public import LayerStore
public import Posix
public import Trees

/// What layerfs takes from its process's environment, as values.
public struct Environment: Sendable {
    /// nil for those of the process.
    private let variables: [String: String]?

    public init(_ variables: [String: String]) { self.variables = variables }

    private init() { variables = nil }

    /// The environment of this process. A variable is looked up when it is asked for: most commands ask for a handful of many.
    public static let current = Environment()

    /// Where the stores are: `options`, else LAYERFS_STORE, else `layerfs` in XDG_DATA_HOME, else `~/.local/share/layerfs`.
    ///
    /// LAYERFS_STORE may list several, separated by colons, as PATH does. The first is the one that is worked on.
    ///
    /// - Parameter currentDirectory: that to which a relative place is relative; asked for only then.
    /// - Throws: ``LayerFSError/noStoreLocation`` when none of them is set.
    public func storePaths(
        options: [ByteString], currentDirectory: () throws(SystemError) -> ByteString
    ) throws(LayerFSError) -> StorePaths {
        let places =
            options.isEmpty
            ? ByteString(value("LAYERFS_STORE") ?? "").split(on: UInt8(ascii: ":")).filter { !$0.isEmpty } : options
        var paths: [ByteString] = []
        for place in places.isEmpty ? [try defaultStore()] : places {
            guard !place.isEmpty, !place.contains(0) else { throw .relativeStore(place.description) }
            if place.bytes.first == UInt8(ascii: "/") {
                paths.append(place)
                continue
            }
            do {
                paths.append(try currentDirectory() + "/" + place)
            } catch {
                throw .system(step: "find the current directory, to which the store's path is relative", error)
            }
        }
        return StorePaths(paths[0], further: Array(paths.dropFirst()))
    }

    private func defaultStore() throws(LayerFSError) -> ByteString {
        if let data = value("XDG_DATA_HOME"), data.hasPrefix("/") {
            // A relative XDG directory is to be ignored (XDG Base Directory Specification, Basics).
            return ByteString(data + "/layerfs")
        }
        if let home = value("HOME") { return ByteString(home + "/.local/share/layerfs") }
        throw .noStoreLocation
    }

    /// Whose stores are believed: LAYERFS_TRUST lists absolute paths, separated by colons, or is `*`. Under sudo(8) root believes
    /// the user who called it, too.
    public var storeTrust: StoreTrust {
        let places = (value("LAYERFS_TRUST") ?? "").split(separator: ":").map { ByteString(String($0)) }
        return StoreTrust(
            allowed: Set(places), allowsAll: places.contains("*"),
            user: CurrentProcess.isRoot ? value("SUDO_UID").flatMap { UInt32($0) } : nil)
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
        let value = if let variables { variables[name] } else { getenv(name).map { String(cString: $0) } }
        return value.flatMap { $0.isEmpty ? nil : $0 }
    }
}
