import RegistryProtocol

/// Which redirections are followed.
enum RedirectRule {
    static let hopLimit = 5

    static func isRedirect(_ status: Int) -> Bool { [301, 302, 303, 307, 308].contains(status) }

    /// Where the answer to `url` sends to.
    ///
    /// - Parameter registry: who was asked first.
    /// - Throws: ``RegistryError/refusedRedirect(from:to:reason:)`` and ``RegistryError/malformedURL(_:reason:)``.
    static func target(
        of location: String?, from url: HTTPURL, registry: Origin, hops: Int
    ) throws(RegistryError) -> HTTPURL {
        guard let location else {
            throw .malformedResponse(what: url.redacted, reason: "it redirects, but does not say where to")
        }
        let target = try url.resolving(location)
        let refuse = { (reason: String) in
            RegistryError.refusedRedirect(from: url.redacted, to: target.redacted, reason: reason)
        }
        guard hops < hopLimit else { throw refuse("more than \(hopLimit) redirections in a row") }
        if url.origin.isSecure, !target.origin.isSecure { throw refuse("it leads from https to http") }
        if target.origin.isLocal, !registry.isLocal { throw refuse("it leads to this machine or its link") }
        return target
    }
}
