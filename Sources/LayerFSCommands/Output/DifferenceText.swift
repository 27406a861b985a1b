import Bytes
import Digests
import OCI
import Trees

/// Two roots could not be compared. As with diff(1), 1 is no code for that.
struct ComparisonFailure: Error {
    let cause: any Error
}

/// How two roots differ, in words.
enum DifferenceText {
    static func line(_ difference: TreeComparison.Difference) -> String {
        switch (difference.old, difference.new) {
        case (let old?, let new?):
            let aspects = difference.aspects.map { aspect in
                let (before, after) = (value(aspect, old), value(aspect, new))
                return "\(aspect.rawValue) \(before) -> \(after)"
            }
            return "~ \(difference.path)  \(aspects.joined(separator: ", "))"
        case (_?, nil): return "- \(difference.path)"
        default: return "+ \(difference.path)"
        }
    }

    private static func value(_ aspect: EntryAspect, _ entry: Entry) -> String {
        let metadata = entry.metadata
        switch aspect {
        case .type: return typeName(entry.kind)
        case .content:
            guard case .file(let digest, let size) = entry.kind else { return "" }
            return "\(digest.short) (\(size) bytes)"
        case .target: if case .symlink(let target) = entry.kind { return "\(target)" } else { return "" }
        case .device:
            switch entry.kind {
            case .characterDevice(let major, let minor), .blockDevice(let major, let minor): return "\(major):\(minor)"
            default: return ""
            }
        case .mode: return "0" + String(metadata.mode, radix: 8)
        case .owner: return "\(metadata.uid):\(metadata.gid)"
        case .time: return RFC3339.text(secondsSinceEpoch: metadata.modified.seconds) + fraction(metadata.modified)
        case .xattrs:
            let names = metadata.extendedAttributes.map { "\($0.name)=\($0.value)" }
            return names.isEmpty ? "none" : names.joined(separator: ";")
        }
    }

    private static func fraction(_ time: Timestamp) -> String {
        time.nanoseconds == 0 ? "" : "+\(time.nanoseconds)ns"
    }

    static func typeName(_ kind: Entry.Kind) -> String {
        switch kind {
        case .directory: "directory"
        case .file: "file"
        case .symlink: "symlink"
        case .characterDevice: "character device"
        case .blockDevice: "block device"
        case .fifo: "fifo"
        case .whiteout: "whiteout"
        }
    }
}

/// What `diff --json` says.
struct ComparisonReport: Codable {
    var equal: Bool
    var added: [Side] = []
    var removed: [Side] = []
    var changed: [Change] = []

    struct Change: Codable {
        var path: String
        /// In what the two differ: type, content, target, device, mode, owner, time, xattrs.
        var aspects: [String]
        var old: Side
        var new: Side
    }

    /// One path of one of the roots.
    struct Side: Codable {
        var path: String
        var type: String
        /// Octal.
        var mode: String
        var uid: UInt32
        var gid: UInt32
        /// RFC 3339.
        var modified: String
        var size: UInt64?
        var digest: String?
        var target: String?
        /// Names and values; bytes that are not plain text are escaped.
        var xattrs: [String: String]?

        init(_ entry: Entry) {
            path = "\(entry.path)"
            type = DifferenceText.typeName(entry.kind)
            mode = String(entry.metadata.mode, radix: 8)
            (uid, gid) = (entry.metadata.uid, entry.metadata.gid)
            modified = RFC3339.text(secondsSinceEpoch: entry.metadata.modified.seconds)
            if case .file(let digest, let size) = entry.kind { (self.digest, self.size) = ("\(digest)", size) }
            if case .symlink(let target) = entry.kind { self.target = "\(target)" }
            let attributes = entry.metadata.extendedAttributes
            if !attributes.isEmpty {
                xattrs = Dictionary(attributes.map { ("\($0.name)", "\($0.value)") }) { $1 }
            }
        }
    }

    init(_ comparison: TreeComparison) {
        equal = comparison.differences.isEmpty
        for difference in comparison.differences {
            switch (difference.old, difference.new) {
            case (let old?, let new?):
                changed.append(
                    Change(
                        path: "\(difference.path)", aspects: difference.aspects.map(\.rawValue), old: Side(old),
                        new: Side(new)))
            case (let old?, nil): removed.append(Side(old))
            case (nil, let new?): added.append(Side(new))
            case (nil, nil): break
            }
        }
    }
}
