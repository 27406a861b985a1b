public import Bytes
import Posix

/// What the installed packages of dpkg's `status` need and offer (Debian policy, 7, Relationships between packages).
struct PackageRelations {
    private struct Stanza {
        var name: ByteString = ""
        var isInstalled = false
        /// Of each group one will do.
        var needs: [[ByteString]] = []
        var offers: [ByteString] = []
    }

    /// By name; of a package that is installed for several architectures what all of them need.
    private var needs: [ByteString: [[ByteString]]] = [:]
    /// The packages that offer a virtual one, sorted.
    private var offers: [ByteString: Set<ByteString>] = [:]

    init(_ file: borrowing OwnedDescriptor, _ reader: borrowing LineReader) {
        var stanza = Stanza()
        var field: ByteString = ""
        var relations: [Stanza] = []
        reader.forEachLine(of: file) { line in
            guard let first = line.first else {
                relations.append(stanza)
                stanza = Stanza()
                return
            }
            // A value may go on in lines that begin with a blank (deb-control(5)).
            let goesOn = first == UInt8(ascii: " ") || first == UInt8(ascii: "\t")
            var value = line[...]
            if !goesOn {
                guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return }
                field = ByteString(line[..<colon])
                value = line[(colon + 1)...]
            }
            switch field {
            case "Package": stanza.name = Self.trimmed(value)
            case "Status": stanza.isInstalled = Self.trimmed(value).hasSuffix(" installed")
            case "Depends", "Pre-Depends": stanza.needs += Self.groups(ByteString(value))
            case "Provides": stanza.offers += Self.groups(ByteString(value)).flatMap(\.self)
            default: break
            }
        }
        relations.append(stanza)
        for stanza in relations where stanza.isInstalled {
            needs[stanza.name, default: []] += stanza.needs
            for offer in stanza.offers { offers[offer, default: []].insert(stanza.name) }
        }
    }

    /// The installed packages that `names` depend on, directly or not, without `names` themselves, the nearest first.
    func closure(of names: [ByteString]) -> [ByteString] {
        var seen = Set(names)
        var found: [ByteString] = []
        var next = names[...]
        while let name = next.popFirst() {
            for group in needs[name] ?? [] {
                guard let package = chosen(group), seen.insert(package).inserted else { continue }
                found.append(package)
                next.append(package)
            }
        }
        return found
    }

    /// The package that satisfies a group here: the first of the group that is installed, or is offered by one that is.
    private func chosen(_ group: [ByteString]) -> ByteString? {
        group.lazy.compactMap { needs[$0] != nil ? $0 : offers[$0]?.min() }.first
    }

    /// `a (>= 1) | b:any, c [amd64]`: the names. What is installed satisfies versions and architectures already.
    private static func groups(_ value: ByteString) -> [[ByteString]] {
        value.split(on: UInt8(ascii: ",")).map { group in
            group.split(on: UInt8(ascii: "|")).map { alternative in
                ByteString(
                    alternative.bytes.drop(while: isBlank).prefix {
                        !isBlank($0) && $0 != 0x28 && $0 != 0x3a && $0 != 0x5b
                    })
            }.filter { !$0.isEmpty }
        }.filter { !$0.isEmpty }
    }

    private static func trimmed(_ value: some BidirectionalCollection<UInt8>) -> ByteString {
        let start = value.drop(while: isBlank)
        return ByteString(
            start.prefix(
                start.lastIndex { !isBlank($0) }.map { start.distance(from: start.startIndex, to: $0) + 1 } ?? 0))
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}

extension DpkgDatabase {
    /// The installed packages that the packages `names` depend on (Depends and Pre-Depends), directly or not, without
    /// `names` themselves; the nearest first. A virtual package is what provides it. What is not installed is left out.
    ///
    /// - Parameter names: `name` or `name:architecture`.
    /// - Throws: ``PackageDatabaseError/unreadable(_:)``.
    public func dependencies(ofPackages names: [ByteString]) throws(PackageDatabaseError) -> [ByteString] {
        do throws(SystemError) {
            let root = try Files.open(root, [.path, .directory])
            guard let status = try root.openInRoot("var/lib/dpkg/status", directory: false) else { return [] }
            let relations = PackageRelations(status, LineReader())
            return relations.closure(of: names.map { $0.split(on: UInt8(ascii: ":"))[0] })
        } catch {
            throw .unreadable(error)
        }
    }
}
