import Bytes

/// Which variants of libraries a processor makes the loader look for.
struct CapabilityProfile: Hashable {
    /// The active `glibc-hwcaps` subdirectories, best first.
    let capabilities: [ByteString]
    /// Subdirectories before each directory itself, in the order of the search, each with a final slash.
    let subdirectories: [ByteString]
    /// The value of `$PLATFORM`.
    let platform: ByteString?

    /// - Parameter legacyNames: the names that glibc before 2.37 makes subdirectories of, most significant first.
    init(capabilities: [ByteString], legacyNames: [ByteString], platform: ByteString?) {
        self.capabilities = capabilities
        self.platform = platform
        let modern = capabilities.map { ByteString("glibc-hwcaps/") + $0 + "/" }
        // _dl_important_hwcaps: all combinations, the fullest first.
        let legacy = (0..<(1 << legacyNames.count)).reversed().dropLast().map { mask in
            legacyNames.enumerated().reduce(into: ByteString("")) { path, name in
                if mask & (1 << (legacyNames.count - 1 - name.offset)) != 0 { path = path + name.element + "/" }
            }
        }
        var seen: Set<ByteString> = []
        subdirectories = (modern + legacy).filter { seen.insert($0).inserted }
    }

    /// All subdirectories of `profiles` that `other` does not have.
    init(union profiles: [CapabilityProfile], without other: CapabilityProfile) {
        capabilities = []
        platform = nil
        var seen = Set(other.subdirectories)
        subdirectories = profiles.flatMap(\.subdirectories).filter { seen.insert($0).inserted }
    }

    /// The profile of the oldest processor that `constants`' machine stands for.
    static func baseline(_ constants: LoaderConstants, isX86_64: Bool) -> CapabilityProfile {
        CapabilityProfile(
            capabilities: [], legacyNames: legacyNames(constants, isX86_64: isX86_64),
            platform: constants.platform)
    }

    /// Those of better processors, worst first: each level of `glibc-hwcaps`, and what glibc before 2.37 makes of
    /// Intel's.
    static func variants(_ constants: LoaderConstants, isX86_64: Bool) -> [CapabilityProfile] {
        let all = constants.hardwareCapabilities
        var profiles = all.indices.reversed().map { first in
            CapabilityProfile(
                capabilities: Array(all[first...]), legacyNames: legacyNames(constants, isX86_64: isX86_64),
                platform: constants.platform)
        }
        if isX86_64, constants.version.map(\.searchesLegacySubdirectories) ?? false {
            for extra: [ByteString] in [[], ["avx512_1"]] {
                profiles.append(
                    CapabilityProfile(
                        capabilities: extra.isEmpty ? Array(all.dropFirst()) : all,
                        legacyNames: ["tls", "haswell"] + extra + ["x86_64"], platform: "haswell"))
            }
        }
        return profiles
    }

    /// One profile with the given `glibc-hwcaps` subdirectories, and with the names that glibc before 2.37 gave to
    /// Intel's processors if they are among `names` (``ProcessorLevels``).
    static func exactly(_ names: [ByteString], _ constants: LoaderConstants, isX86_64: Bool) -> CapabilityProfile {
        let capabilities = constants.hardwareCapabilities.filter(names.contains)
        guard isX86_64, constants.version?.searchesLegacySubdirectories ?? false else {
            return CapabilityProfile(
                capabilities: capabilities, legacyNames: legacyNames(constants, isX86_64: isX86_64),
                platform: constants.platform)
        }
        let platform = names.contains("haswell") ? "haswell" : constants.platform
        let wide: [ByteString] = names.contains("avx512_1") ? ["avx512_1"] : []
        return CapabilityProfile(
            capabilities: capabilities, legacyNames: ["tls"] + [platform].compactMap { $0 } + wide + ["x86_64"],
            platform: platform)
    }

    private static func legacyNames(_ constants: LoaderConstants, isX86_64: Bool) -> [ByteString] {
        guard let version = constants.version, version.searchesLegacySubdirectories else { return [] }
        return ["tls"] + [constants.platform].compactMap { $0 } + (isX86_64 ? ["x86_64"] : [])
    }
}
