public import Digests
public import OCI

/// Why something could not be fetched from a registry or stored there.
///
/// Texts that come from a registry are short and hold no secret: who makes the error redacts them.
public enum RegistryError: Error, Hashable, CustomStringConvertible {
    /// A place is not written as `docker://HOST/REPOSITORY[:TAG]`.
    case malformedPlace(String, reason: String)
    /// A URL that a registry sent is none that is followed.
    case malformedURL(String, reason: String)
    /// No connection, or none that stays.
    case unreachable(url: String, reason: String)
    /// The other side's certificate is not trusted, or TLS failed otherwise.
    case untrusted(url: String, reason: String)
    /// The host answers, but not as a registry does.
    case notARegistry(url: String, status: Int)
    /// The registry does not have it.
    case notFound(what: String)
    /// The registry wants credentials, or others than it got.
    case unauthorized(host: String, hadCredentials: Bool, reason: String)
    /// The registry knows who asks, and says no.
    case denied(what: String, reason: String)
    /// Any other answer that says no.
    case refused(what: String, status: Int, reason: String)
    /// After all attempts the registry is still too busy, or asks to wait longer than is reasonable.
    case busy(what: String, reason: String)
    /// A redirection that is not followed.
    case refusedRedirect(from: String, to: String, reason: String)
    /// The registry wants an upload to go to another host.
    case refusedUploadLocation(from: String, to: String)
    /// The registry names a token server that its credentials are not given to.
    case refusedRealm(host: String, realm: String, reason: String)
    /// What the registry sent is against the protocol.
    case malformedResponse(what: String, reason: String)
    /// A document of the registry is not what it should be.
    case malformedDocument(name: String, OCIError)
    case digestMismatch(what: String, expected: Digest, actual: Digest)
    case sizeMismatch(what: String, expected: Int64, actual: Int64)
    /// No image of an index is for the platform.
    case noPlatform(Platform, offered: [String])
    /// A file that holds credentials, or certificates, cannot be used.
    case unusableFile(path: String, reason: String)
    /// A credential helper failed.
    case helper(program: String, reason: String)
    /// The image layout lacks a file, or it is no regular one.
    case missingBlob(digest: String)
    /// The image layout cannot be read or written.
    case layout(path: String, reason: String)
    /// A proxy of the environment that cannot be used.
    case malformedProxy(variable: String, reason: String)

    public var description: String {
        switch self {
        case .malformedPlace(let text, let reason): "'\(shown(text))' is no place in a registry: \(reason)"
        case .malformedURL(let url, let reason): "the URL '\(shown(url))' is not followed: \(reason)"
        case .unreachable(let url, let reason): "cannot reach \(url): \(reason)"
        case .untrusted(let url, let reason):
            "\(url) is not trusted: \(reason). Name the CA with --ca FILE; --tls-verify=false goes without"
        case .notARegistry(let url, let status): "\(url) is no registry: it answers \(status)"
        case .notFound(let what): "the registry does not have \(what)"
        case .unauthorized(let host, let had, let reason):
            had
                ? "\(host) refuses the credentials\(after(reason)). `layerfs login \(host)` sets others"
                : "\(host) wants credentials\(after(reason)). `layerfs login \(host)` sets them"
        case .denied(let what, let reason): "the registry denies \(what)\(after(reason))"
        case .refused(let what, let status, let reason):
            "the registry refuses \(what) with status \(status)\(after(reason))"
        case .busy(let what, let reason): "\(what): \(reason). Try again later"
        case .refusedRedirect(let from, let to, let reason):
            "\(from) redirects to \(to), which is not followed: \(reason)"
        case .refusedUploadLocation(let from, let to):
            "\(from) wants the upload to go to \(to), another origin; nothing is sent there"
        case .refusedRealm(let host, let realm, let reason):
            "\(host) wants its credentials sent to \(realm): \(reason). --trust-realm HOST allows it"
        case .malformedResponse(let what, let reason): "\(what): the registry's answer makes no sense: \(reason)"
        case .malformedDocument(let name, let error): "\(name): \(error)"
        case .digestMismatch(let what, let expected, let actual):
            "\(what) is not what it should be: its digest is \(actual), not \(expected). Nothing of it was kept"
        case .sizeMismatch(let what, let expected, let actual):
            "\(what) is not what it should be: it has \(actual) bytes, not \(expected). Nothing of it was kept"
        case .noPlatform(let platform, let offered):
            "there is no image for \(platform), but for \(shown(offered.joined(separator: ", "))). Choose with --platform"
        case .unusableFile(let path, let reason): "\(path): \(reason)"
        case .helper(let program, let reason): "\(program): \(reason)"
        case .missingBlob(let digest): "the image layout lacks the blob \(shown(digest))"
        case .layout(let path, let reason): "\(path): \(reason)"
        case .malformedProxy(let variable, let reason): "the environment variable \(variable) names no proxy: \(reason)"
        }
    }

    private func after(_ reason: String) -> String { reason.isEmpty ? "" : ": " + reason }
}

/// Text from outside as a message shows it: short, and without characters that could move a terminal's cursor.
package func shown(_ text: String, limit: Int = 300) -> String {
    let scalars = text.unicodeScalars
    let visible = scalars.prefix(limit).map { scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
            "\\u{\(String(scalar.value, radix: 16))}"
        default: String(scalar)
        }
    }
    return visible.joined() + (scalars.count > limit ? "…" : "")
}
