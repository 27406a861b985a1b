import Bytes
import OCI
import Posix
public import RegistryProtocol
import SystemPackage

/// The credentials of whoever runs layerfs, as Docker, podman and skopeo keep them.
public struct CredentialStore: Sendable {
    private let locations: AuthFileLocations
    private let searchPath: String
    /// Told what is odd, but no error.
    private let warn: @Sendable (String) -> Void

    /// - Parameters:
    ///   - authFile: the only file to look at.
    ///   - variable: the environment; nil for what is unset or empty.
    ///   - warn: called with what is odd, but no error.
    public init(
        authFile: String?, variable: (String) -> String?, warn: @escaping @Sendable (String) -> Void
    ) {
        locations = AuthFileLocations(option: authFile, uid: CurrentProcess.effectiveUser, variable: variable)
        searchPath = variable("PATH") ?? "/usr/local/bin:/usr/bin:/bin"
        self.warn = warn
    }

    /// The credentials for `repository` of `host`; nil when there are none.
    ///
    /// - Throws: ``RegistryError/unusableFile(path:reason:)``, ``RegistryError/helper(program:reason:)``.
    public func credential(host: String, repository: String?) throws(RegistryError) -> Credential? {
        if let inline = locations.inline {
            let file: AuthFile
            do throws(OCIError) { file = try AuthFile(parsing: Array(inline.utf8)) } catch {
                throw .unusableFile(path: "DOCKER_AUTH_CONFIG", reason: "it is no list of credentials")
            }
            if let found = try credential(file, host, repository) { return found }
        }
        for path in locations.paths {
            guard let file = try read(path) else { continue }
            if let found = try credential(file, host, repository) { return found }
        }
        return nil
    }

    private func credential(
        _ file: AuthFile, _ host: String, _ repository: String?
    ) throws(RegistryError) -> Credential? {
        switch file.entry(host: host, repository: repository) {
        case nil: return nil
        case .credential(let credential): return credential
        case .helper(let suffix):
            return try CredentialHelper(suffix: suffix, searchPath: searchPath).get(host: host)
        }
    }

    /// Keeps `credential` for `host`: with the helper that is configured, else in the file.
    ///
    /// - Returns: where it is kept.
    /// - Throws: ``RegistryError/unusableFile(path:reason:)``, ``RegistryError/helper(program:reason:)``.
    public func store(_ credential: Credential, host: String) throws(RegistryError) -> String {
        let path = try writingPath(host: host)
        let file = try read(path) ?? AuthFile()
        if let suffix = file.writingHelper(host: host) {
            try CredentialHelper(suffix: suffix, searchPath: searchPath).store(credential, host: host)
            return "docker-credential-\(suffix)"
        }
        try write(file.setting(credential, host: host), to: path)
        return path
    }

    /// Forgets the credentials for `host`, wherever they are kept.
    ///
    /// - Returns: where they were; empty when there were none.
    /// - Throws: ``RegistryError/unusableFile(path:reason:)``, ``RegistryError/helper(program:reason:)``.
    public func erase(host: String) throws(RegistryError) -> [String] {
        var places: [String] = []
        for path in locations.paths {
            guard let file = try read(path) else { continue }
            if let suffix = file.writingHelper(host: host) {
                let helper = try CredentialHelper(suffix: suffix, searchPath: searchPath)
                if try helper.get(host: host) != nil {
                    try helper.erase(host: host)
                    places.append("docker-credential-\(suffix)")
                }
            }
            let changed = file.setting(nil, host: host)
            if file.bytes != changed.bytes {
                try write(changed, to: path)
                places.append(path)
            }
        }
        return places
    }

    /// The first file that knows the host, else the first that is there, else the usual one.
    private func writingPath(host: String) throws(RegistryError) -> String {
        var present: String?
        for path in locations.paths {
            guard let file = try read(path) else { continue }
            if file.contains(host: host) { return path }
            present = present ?? path
        }
        guard let path = present ?? locations.usual else {
            throw .unusableFile(path: "auth.json", reason: "HOME is not set; name a file with --authfile")
        }
        return path
    }

    /// The file at `path`; nil when there is none.
    private func read(_ path: String) throws(RegistryError) -> AuthFile? {
        do {
            let name = ByteString(path)
            guard let status = try Files.statusIfPresent(name, followingLink: true) else { return nil }
            // Not `warn` of one's own umask: what lets others in is read by group or world.
            if status.permissions & 0o077 != 0, status.size > 2 {
                warn("\(ByteString(path)) can be read by others (mode \(String(status.permissions, radix: 8)))")
            }
            let bytes = try Files.read(name, limit: JSONValue.sizeLimit)
            // podman and Docker leave empty files behind.
            return bytes.isEmpty ? AuthFile() : try AuthFile(parsing: bytes)
        } catch let error as SystemError {
            // /run/containers/1000 of somebody else, /root/.docker without root.
            if [.permissionDenied, .notDirectory].contains(error.errno), !locations.isExplicit { return nil }
            throw .unusableFile(path: path, reason: "\(error)")
        } catch let error as OCIError {
            throw .unusableFile(path: path, reason: "it is no list of credentials: \(error)")
        } catch {
            throw .unusableFile(path: path, reason: "\(error)")
        }
    }

    /// Replaces the file at `path`: readable by its owner only, whole or not at all.
    private func write(_ file: AuthFile, to path: String) throws(RegistryError) {
        do throws(SystemError) {
            // A link stays one: what it leads to is replaced.
            let target = try Self.resolvingLink(ByteString(path))
            let slash = target.bytes.lastIndex(of: UInt8(ascii: "/"))
            let directory = slash.map { $0 == 0 ? "/" : ByteString(target.bytes[..<$0]) } ?? "."
            let name = slash.map { ByteString(target.bytes[($0 + 1)...]) } ?? target
            let parent = try Self.ensureDirectory(directory)
            let temporary = "." + name + ByteString(".\(String(UInt64.random(in: 0 ... .max), radix: 36))")
            let new = try parent.open(temporary, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
            do throws(SystemError) {
                try new.writeAll(file.bytes)
                try new.syncData()
                try parent.rename(temporary, to: name, in: parent, replacing: true)
            } catch {
                try? parent.removeFile(temporary)
                throw error
            }
        } catch {
            throw .unusableFile(path: path, reason: "\(error)")
        }
    }

    private static func resolvingLink(_ path: ByteString) throws(SystemError) -> ByteString {
        guard let status = try Files.statusIfPresent(path), status.kind == .symlink else { return path }
        let target = try Files.linkTarget(path)
        if target.hasPrefix("/") { return target }
        let slash = path.bytes.lastIndex(of: UInt8(ascii: "/"))
        return slash.map { ByteString(path.bytes[...$0]) + target } ?? target
    }

    /// Opens the directory `path`, made with its parents where it is missing.
    private static func ensureDirectory(_ path: ByteString) throws(SystemError) -> OwnedDescriptor {
        do {
            return try Files.open(path, [.readOnly, .directory])
        } catch  where error.errno == .noSuchFileOrDirectory {
            guard let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")), slash > 0 else { throw error }
            let parent = try ensureDirectory(ByteString(path.bytes[..<slash]))
            let name = ByteString(path.bytes[(slash + 1)...])
            try parent.ensureDirectory(name, mode: 0o700)
            return try parent.open(name, [.readOnly, .directory])
        }
    }
}
