import Registry
import RegistryProtocol

/// The name of a registry on a command line: `localhost:5000`, also as `docker://localhost:5000`.
enum RegistryHost {
    /// - Throws: ``RegistryError/malformedPlace(_:reason:)``.
    static func name(_ text: String) throws(RegistryError) -> String {
        var name = Substring(text)
        for prefix in [RegistryPlace.prefix, "https://", "http://"] where name.hasPrefix(prefix) {
            name = name.dropFirst(prefix.count)
        }
        if name.hasSuffix("/") { name.removeLast() }
        if name == "index.docker.io" { name = "docker.io" }
        _ = try RegistryPlace.origin(of: String(name), isSecure: true)
        return String(name)
    }
}
