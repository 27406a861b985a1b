import Bytes
import Posix

/// dpkg's `status`: a stanza of fields for each package, ended by an empty line (deb-control(5)).
struct StatusFile {
    /// A package by name and, where its list file says, architecture.
    struct Key: Hashable {
        var name: ByteString
        var architecture: ByteString?
    }

    private struct Stanza {
        var identity = PackageIdentity(name: "")
        var isInstalled = false
    }

    /// What the stanzas say of the packages in `wanted`.
    ///
    /// - Parameter installedOnly: leave out those that are not, or not wholly, installed.
    static func identities(
        of wanted: Set<Key>, in file: borrowing OwnedDescriptor, _ reader: borrowing LineReader,
        installedOnly: Bool = false
    ) -> [Key: PackageIdentity] {
        let names = Set(wanted.map(\.name))
        var found: [Key: Stanza] = [:]
        var stanza = Stanza()

        func finish() {
            defer { stanza = Stanza() }
            guard names.contains(stanza.identity.name) else { return }
            for key in [
                Key(name: stanza.identity.name, architecture: stanza.identity.architecture),
                Key(name: stanza.identity.name, architecture: nil),
            ] where wanted.contains(key) && (found[key] == nil || stanza.isInstalled) {
                found[key] = stanza
            }
        }

        reader.forEachLine(of: file) { line in
            // Most lines are of descriptions and dependencies. Of names, case does not matter, but dpkg writes them so.
            guard let first = line.first else { return finish() }
            switch first {
            case UInt8(ascii: "P"):
                if let name = value(of: "Package:", in: line) { stanza.identity.name = name }
            case UInt8(ascii: "S"):
                if let status = value(of: "Status:", in: line) {
                    stanza.isInstalled = status.hasSuffix(" installed")
                } else if let source = value(of: "Source:", in: line) {
                    (stanza.identity.source, stanza.identity.sourceVersion) = parse(source: source)
                }
            case UInt8(ascii: "V"):
                if let version = value(of: "Version:", in: line) { stanza.identity.version = version }
            case UInt8(ascii: "A"):
                if let architecture = value(of: "Architecture:", in: line) {
                    stanza.identity.architecture = architecture
                }
            default: break
            }
        }
        finish()
        return found.filter { $0.value.isInstalled || !installedOnly }.mapValues { stanza in
            var identity = stanza.identity
            if identity.source.isEmpty { identity.source = identity.name }
            return identity
        }
    }

    /// The value of a field when the line is that field, without the blanks around it.
    private static func value(of field: StaticString, in line: UnsafeRawBufferPointer) -> ByteString? {
        let prefix = UnsafeRawBufferPointer(start: field.utf8Start, count: field.utf8CodeUnitCount)
        guard line.starts(with: prefix) else { return nil }
        let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        let rest = line.dropFirst(prefix.count).drop(while: isBlank)
        let end = rest.lastIndex { !isBlank($0) }
        return end.map { ByteString(rest[...$0]) }
    }

    /// `name` or `name (version)`.
    private static func parse(source: ByteString) -> (name: ByteString, version: ByteString?) {
        guard let space = source.bytes.firstIndex(of: UInt8(ascii: " ")) else { return (source, nil) }
        let version = source.bytes[space...].dropFirst()
        guard version.first == UInt8(ascii: "("), version.last == UInt8(ascii: ")") else {
            return (ByteString(source.bytes[..<space]), nil)
        }
        return (ByteString(source.bytes[..<space]), ByteString(version.dropFirst().dropLast()))
    }
}
