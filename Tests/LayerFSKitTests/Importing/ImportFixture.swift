import Bytes
import Digests
import Foundation
import ImageTransport
import LayerStore
import OCI
import Posix
import Tar
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

/// A store to import into, and a canary beside it that nothing may touch.
final class ImportFixture {
    let kit: KitFixture
    private let canary = Array("canary".utf8)

    init() throws {
        kit = try KitFixture()
        try kit.directory.write("canary", canary)
    }

    var store: Store { kit.workspace.store }

    /// Imports a tar as the layer `name`.
    @discardableResult
    func importTar(_ bytes: [UInt8], as name: String = "imported") throws -> ImportSummary {
        try kit.directory.write("import.tar", bytes)
        var options = ImportOptions()
        options.name = try Name(name)
        return try ImportTar(kit.workspace).run(kit.path("import.tar"), options)
    }

    /// Imports from the layout `place` of the fixture's directory.
    @discardableResult
    func importLayout(
        _ place: String = "layout", _ reference: String? = nil, _ change: (inout ImportOptions) -> Void = { _ in }
    ) throws -> [ImportSummary] {
        var options = ImportOptions()
        options.name = try Name("imported")
        change(&options)
        return try ImportImages(kit.workspace).run(
            ImageLocation(.oci, kit.path(place), reference: reference), options, scratch: kit.path(""))
    }

    func tree(_ expression: String = "imported") throws -> Tree {
        try kit.workspace.compose(kit.workspace.select(RootExpression(expression))).tree
    }

    /// Each path with its kind: a directory ends in a slash, a link has an arrow, a file its content.
    func listing(_ expression: String = "imported") throws -> [String] {
        try tree(expression).entries.dropFirst().map { entry in
            switch entry.kind {
            case .directory: "\(entry.path)/"
            case .symlink(let target): "\(entry.path) -> \(target)"
            case .file(let digest, let size):
                "\(entry.path): "
                    + (size == 0
                        ? ""
                        : String(
                            decoding: try store.blobs.bytes(of: digest, limit: 100, wantedBy: "a test"), as: UTF8.self))
            case let kind: "\(entry.path) \(kind.indexName)"
            }
        }
    }

    /// Records what an import that was refused, or one that was not, may never leave.
    func expectSound(names: [String] = [], sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(try kit.directory.read("canary") == canary, sourceLocation: sourceLocation)
        #expect(try ListStore(kit.workspace).run().map(\.name) == names, sourceLocation: sourceLocation)
        #expect(try kit.directory.contents("store/staging") == [], sourceLocation: sourceLocation)
        #expect(try CheckStore(kit.workspace).run().damages.isEmpty, sourceLocation: sourceLocation)
    }
}

/// One member of a tar.
struct Member {
    var name: ByteString
    var kind: TarHeader.Kind = .file(size: 0)
    var content: [UInt8] = []
    var mode: UInt16 = 0o644
    var attributes: [TarHeader.Attribute] = []

    static func file(_ name: ByteString, _ text: String = "", mode: UInt16 = 0o644) -> Member {
        Member(name: name, kind: .file(size: UInt64(text.utf8.count)), content: Array(text.utf8), mode: mode)
    }

    static func directory(_ name: ByteString, mode: UInt16 = 0o755) -> Member {
        Member(name: name, kind: .directory, mode: mode)
    }

    static func link(_ name: ByteString, _ target: ByteString) -> Member {
        Member(name: name, kind: .symlink(target: target), mode: 0o777)
    }

    static func hardLink(_ name: ByteString, _ target: ByteString) -> Member {
        Member(name: name, kind: .hardLink(target: target))
    }

    /// A tar of `members`; names that the encoder would refuse are written all the same.
    static func tar(_ members: [Member]) throws -> [UInt8] {
        var bytes: [UInt8] = []
        for member in members {
            var header = TarHeader(
                name: "placeholder", kind: member.kind, mode: member.mode, modified: 1_000,
                extendedAttributes: member.attributes)
            if (try? TarEncoder.encode(TarHeader(name: member.name, kind: member.kind, mode: 0))) != nil {
                header.name = member.name
                bytes += try TarEncoder.encode(header)
            } else {
                var block = try TarEncoder.encode(header)
                block.replaceSubrange(
                    0..<100, with: member.name.bytes + [UInt8](repeating: 0, count: 100 - member.name.count))
                let sum = block[..<512].enumerated().reduce(0) { $0 + ((148..<156).contains($1.0) ? 32 : Int($1.1)) }
                let digits = String(sum, radix: 8)
                block.replaceSubrange(
                    148..<156, with: Array((String(repeating: "0", count: 6 - digits.count) + digits + "\0 ").utf8))
                bytes += block
            }
            bytes += member.content
            bytes += [UInt8](repeating: 0, count: TarEncoder.padding(after: UInt64(member.content.count)))
        }
        return bytes + TarEncoder.endOfArchive
    }
}

/// Writes an image layout whose every part can be wrong.
struct LayoutBuilder {
    let place: String
    var layers: [Descriptor] = []
    var diffIDs: [DiffID] = []
    var platform = "linux/amd64"

    init(_ directory: TemporaryDirectory, _ name: String = "layout") throws {
        place = directory.path + "/" + name
        try FileManager.default.createDirectory(
            atPath: place + "/blobs/sha256", withIntermediateDirectories: true)
        try write("oci-layout", ImageLayoutHeader().canonicalBytes)
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: place + "/" + name))
    }

    func path(of descriptor: Descriptor) throws -> String {
        place + "/blobs/sha256/" + (try descriptor.sha256().hexadecimal)
    }

    @discardableResult
    func blob(_ type: MediaType, _ bytes: [UInt8]) throws -> Descriptor {
        let descriptor = Descriptor(mediaType: type, of: bytes)
        try write("blobs/sha256/" + Digest(hashing: bytes).hexadecimal, bytes)
        return descriptor
    }

    @discardableResult
    mutating func layer(_ members: [Member]) throws -> Descriptor {
        let tar = try Member.tar(members)
        let descriptor = try blob(.layerTar, tar)
        layers.append(descriptor)
        diffIDs.append(DiffID(Digest(hashing: tar)))
        return descriptor
    }

    var configuration: [UInt8] {
        get throws {
            ImageConfiguration(
                platform: try Platform(parsing: platform), execution: Execution(environment: ["A=b"], command: ["/x"]),
                diffIDs: diffIDs
            ).canonicalBytes
        }
    }

    func manifest() throws -> Descriptor {
        let config = try blob(.imageConfiguration, configuration)
        return try blob(.imageManifest, Manifest(config: config, layers: layers).canonicalBytes)
    }

    func index(_ entries: [Descriptor]) throws {
        try write("index.json", ImageIndex(manifests: entries).canonicalBytes)
    }

    /// Writes manifest and index.
    @discardableResult
    func finish(name: String? = nil) throws -> Descriptor {
        var entry = try manifest()
        if let name { entry.annotations[AnnotationKey.referenceName] = name }
        try index([entry])
        return entry
    }
}
