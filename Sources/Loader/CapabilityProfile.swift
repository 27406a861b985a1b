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
    static func baseline(_ constants: LoaderConstants, _ legacy: LegacySubdirectories) -> CapabilityProfile {
        CapabilityProfile(
            capabilities: [], legacyNames: legacy.names(constants, platform: constants.platform),
            platform: constants.platform)
    }

    /// Those of better processors, worst first: each level of `glibc-hwcaps`, and what glibc before 2.37 has of its own.
    static func variants(_ constants: LoaderConstants, _ legacy: LegacySubdirectories) -> [CapabilityProfile] {
        let all = constants.hardwareCapabilities
        var profiles = all.indices.reversed().map { first in
            CapabilityProfile(
                capabilities: Array(all[first...]), legacyNames: legacy.names(constants, platform: constants.platform),
                platform: constants.platform)
        }
        guard constants.version?.searchesLegacySubdirectories ?? false else { return profiles }
        for variant in legacy.variants {
            // AVX-512 is what the best level has before the others.
            let levels = variant.names.isEmpty ? Array(all.dropFirst()) : all
            let platform = variant.platform ?? constants.platform
            profiles.append(
                CapabilityProfile(
                    capabilities: levels, legacyNames: legacy.names(constants, platform: platform, variant.names),
                    platform: platform))
        }
        return profiles
    }

    /// One profile with the given `glibc-hwcaps` subdirectories, and with what glibc before 2.37 knows of, if it is among
    /// `names` (``ProcessorLevels``).
    static func exactly(
        _ names: [ByteString], _ constants: LoaderConstants, _ legacy: LegacySubdirectories
    ) -> CapabilityProfile {
        let capabilities = constants.hardwareCapabilities.filter(names.contains)
        let platform = legacy.variants.compactMap(\.platform).first(where: names.contains) ?? constants.platform
        // The variant with the most names comes last.
        let known = legacy.variants.last?.names ?? []
        return CapabilityProfile(
            capabilities: capabilities,
            legacyNames: legacy.names(constants, platform: platform, known.filter(names.contains)),
            platform: platform)
    }
}
