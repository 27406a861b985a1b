import Bytes

/// `.gnu.version_r` and `.gnu.version_d`, through their dynamic entries (LSB core, Symbol Versioning). The records are
/// the same in both classes and chained by relative offsets.
extension DynamicParser {
    mutating func versionNeeds(_ tags: [DynamicTag: UInt64]) throws(Failure) -> [VersionNeed] {
        guard let address = tags[.versionNeeds], let count = tags[.versionNeedCount] else { return [] }
        var place = try place(of: address, .versionNeeds).offset
        var needs: [VersionNeed] = []
        var budget = Limits.versionEntries
        for _ in 0..<min(count, UInt64(Limits.versionEntries)) {
            let record = try window.reader(at: place, count: 16, order: header.byteOrder, .versionNeeds)
            guard let count: UInt16 = record.integer(at: 2), let library: UInt32 = record.integer(at: 4),
                let first: UInt32 = record.integer(at: 8), let next: UInt32 = record.integer(at: 12)
            else { break }
            var need = VersionNeed(library: try string(UInt64(library), .versionNeeds), versions: [])
            var entry = try advance(place, by: first, .versionNeeds)
            for _ in 0..<count {
                budget -= 1
                guard budget > 0 else { throw tooMany(.versionNeeds) }
                let record = try window.reader(at: entry, count: 16, order: header.byteOrder, .versionNeeds)
                guard let flags: UInt16 = record.integer(at: 4), let name: UInt32 = record.integer(at: 8),
                    let next: UInt32 = record.integer(at: 12)
                else { break }
                need.versions.append(
                    .init(name: try string(UInt64(name), .versionNeeds), isWeak: flags & 2 != 0))
                guard next != 0 else { break }
                entry = try advance(entry, by: next, .versionNeeds)
            }
            needs.append(need)
            guard next != 0 else { break }
            place = try advance(place, by: next, .versionNeeds)
        }
        return needs
    }

    /// The names of the versions defined; the first, flagged VER_FLG_BASE, is the object's own name and left out.
    mutating func versionDefinitions(_ tags: [DynamicTag: UInt64]) throws(Failure) -> [ByteString] {
        guard let address = tags[.versionDefinitions], let count = tags[.versionDefinitionCount] else { return [] }
        var place = try place(of: address, .versionDefinitions).offset
        var names: [ByteString] = []
        guard count <= UInt64(Limits.versionEntries) else { throw tooMany(.versionDefinitions) }
        for _ in 0..<count {
            let record = try window.reader(at: place, count: 20, order: header.byteOrder, .versionDefinitions)
            guard let flags: UInt16 = record.integer(at: 2), let first: UInt32 = record.integer(at: 12),
                let next: UInt32 = record.integer(at: 16)
            else { break }
            if flags & 1 == 0 {
                let entry = try advance(place, by: first, .versionDefinitions)
                let name = try window.reader(at: entry, count: 8, order: header.byteOrder, .versionDefinitions)
                guard let offset: UInt32 = name.integer(at: 0) else { break }
                names.append(try string(UInt64(offset), .versionDefinitions))
            }
            guard next != 0 else { break }
            place = try advance(place, by: next, .versionDefinitions)
        }
        return names
    }

    private func advance(_ place: UInt64, by distance: UInt32, _ part: ELFError.Part) throws(Failure) -> UInt64 {
        let (result, overflow) = place.addingReportingOverflow(UInt64(distance))
        guard !overflow else { throw .format(.truncated(part, offset: place)) }
        return result
    }

    private func tooMany(_ part: ELFError.Part) -> Failure {
        .format(.tooLarge(part, count: UInt64(Limits.versionEntries), limit: UInt64(Limits.versionEntries)))
    }
}
