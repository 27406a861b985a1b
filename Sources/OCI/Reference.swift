public import Digests

/// The name of an image: `[host[:port]/]repository[:tag][@digest]` (distribution-spec, Pulling manifests).
public struct Reference: Hashable, Sendable, CustomStringConvertible {
    /// The registry; nil where the name leaves it out.
    public var registry: String?
    /// Path components joined by slashes, lower case.
    public var repository: String
    public var tag: String?
    public var digest: Digest?

    /// - Throws: ``OCIError/invalidValue(field:value:expected:)``.
    public init(parsing text: String) throws(OCIError) {
        let invalid = OCIError.invalidValue(
            field: "", value: text, expected: "an image name, as bash or ghcr.io/owner/shell:1.0")
        var rest = Substring(text)
        if let at = rest.firstIndex(of: "@") {
            guard let digest = try? Digest(parsing: String(rest[rest.index(after: at)...])) else { throw invalid }
            self.digest = digest
            rest = rest[..<at]
        }
        // A colon after the last slash begins a tag; before it, a port.
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            let tag = String(rest[rest.index(after: colon)...])
            guard Self.isTag(tag) else { throw invalid }
            self.tag = tag
            rest = rest[..<colon]
        }
        if let slash = rest.firstIndex(of: "/"), Self.isRegistry(rest[..<slash]) {
            registry = String(rest[..<slash])
            rest = rest[rest.index(after: slash)...]
        }
        repository = String(rest)
        guard Self.isRepository(repository), repository.utf8.count + (registry?.utf8.count ?? 0) < 255 else {
            throw invalid
        }
    }

    /// With its parts as they are, nothing filled in.
    public var description: String {
        (registry.map { $0 + "/" } ?? "") + repository + (tag.map { ":" + $0 } ?? "") + (digest.map { "@\($0)" } ?? "")
    }

    /// The full name as container engines resolve it: `docker.io` where no registry is named, there `library/` before
    /// a single component, and the tag `latest` where there is neither tag nor digest.
    public var qualified: Reference {
        var full = self
        full.registry = registry ?? "docker.io"
        if full.registry == "docker.io", !repository.contains("/") { full.repository = "library/" + repository }
        if tag == nil, digest == nil { full.tag = "latest" }
        return full
    }

    /// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
    public static func isTag(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 128 else { return false }
        return (ASCII.isAlphanumeric(first) || first == UInt8(ascii: "_"))
            && text.utf8.allSatisfy { ASCII.isAlphanumeric($0) || "._-".utf8.contains($0) }
    }

    /// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, components joined by slashes.
    public static func isRepository(_ text: String) -> Bool {
        text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { component in
            Self.alternates(
                component, word: ASCII.isLowercaseAlphanumeric,
                separator: { [".", "_", "__"].contains($0) || $0.allSatisfy { $0 == "-" } })
        }
    }

    /// Whether `text` can be the value of ``AnnotationKey/referenceName``: components of letters and digits, with
    /// single `-._:@+` or `--` between them, joined by slashes (annotations.md).
    public static func isReferenceName(_ text: String) -> Bool {
        text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { component in
            Self.alternates(
                component, word: ASCII.isAlphanumeric,
                separator: { $0 == "--" || $0.utf8.count == 1 && "-._:@+".contains($0) })
        }
    }

    /// Whether words and separators take turns, words at both ends.
    private static func alternates(
        _ text: Substring.UTF8View, word: (UInt8) -> Bool, separator: (String) -> Bool
    ) -> Bool {
        guard let first = text.first, let last = text.last, word(first), word(last) else { return false }
        return text.split(whereSeparator: word).allSatisfy { separator(String(Substring($0))) }
    }

    /// Whether the part before the first slash names a registry: it has a dot or a port, is in brackets, or is `localhost`.
    private static func isRegistry(_ text: Substring) -> Bool {
        if text.hasPrefix("[") { return isBracketed(text) }
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard text == "localhost" || text.contains(".") || parts.count == 2, let host = parts.first else {
            return false
        }
        let labels = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isHost = labels.allSatisfy { label in
            label.allSatisfy { ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
                && label.first.map(ASCII.isAlphanumeric) == true && label.last.map(ASCII.isAlphanumeric) == true
        }
        return isHost && parts.count <= 2 && parts.dropFirst().allSatisfy(isPort)
    }

    private static func isPort(_ port: Substring.UTF8View) -> Bool {
        !port.isEmpty && port.count <= 5 && port.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Whether `text` is an IPv6 address in brackets, perhaps with a port; whoever connects looks at the address itself.
    private static func isBracketed(_ text: Substring) -> Bool {
        guard let end = text.firstIndex(of: "]") else { return false }
        let (address, rest) = (text[..<end].dropFirst(), text[text.index(after: end)...])
        let isAddress =
            (2...45).contains(address.utf8.count) && address.contains(":")
            && address.utf8.allSatisfy { ASCII.isHexadecimal($0) || ":.".utf8.contains($0) }
        return isAddress && (rest.isEmpty || rest.hasPrefix(":") && isPort(rest.dropFirst().utf8))
    }
}
