import Bytes
import Digests
import Foundation
import OCI
import RegistryProtocol
import Synchronization
import TestSupport
import Testing

@testable import Registry

/// Pulling from a registry that does well, and from ones that do not.
struct PullTests {
    let folder: TemporaryDirectory
    let layer = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }

    init() throws { folder = try TemporaryDirectory() }

    private var path: ByteString { ByteString(folder.path + "/layout") }

    private func pull(
        _ registry: RegistryDouble, _ reference: String = "1", _ choice: PullImage.Choice = .all,
        credential: Credential? = nil, arrivals: Arrivals = Arrivals(),
        knownLayers: (@Sendable (Manifest, [UInt8]) throws -> Set<DescriptorDigest>)? = nil
    ) async throws -> TransferSummary {
        let layout = try LayoutDirectory(making: path)
        return try await registry.connect(credential: credential) { repository in
            var pull = PullImage(repository, into: layout, choice)
            pull.knownLayers = knownLayers
            return try await pull.run(reference, annotations: [AnnotationKey.referenceName: "1"], arrivals)
        }
    }

    private func blob(_ digest: DescriptorDigest) throws -> [UInt8] {
        try folder.read("layout/blobs/" + "\(digest)".replacing(":", with: "/"))
    }

    /// That nothing has the name of a blob which is none.
    private func expectOnlyTrueBlobs(sourceLocation: SourceLocation = #_sourceLocation) throws {
        for name in try folder.contents("layout/blobs/sha256") where !name.hasPrefix(".") {
            #expect(
                Digest(hashing: try folder.read("layout/blobs/sha256/" + name)).hexadecimal == name,
                sourceLocation: sourceLocation)
        }
    }

    @Test func anImageComesWhole() async throws {
        let registry = try RegistryDouble()
        let manifest = registry.addImage(layer: layer)
        let summary = try await pull(registry)
        #expect(summary.blobs == [.downloaded: 2] && summary.bytes == manifest.config.size + 200_000)
        #expect(try blob(manifest.layers[0].digest) == layer)
        let index = try LayoutDirectory(opening: path).index()
        #expect(index?.manifests.map(\.digest) == [summary.manifest.digest])
        // Again, nothing is fetched but the manifest.
        #expect(try await pull(registry).blobs == [.present: 2])
    }

    @Test func whatIsKnownIsNotFetched() async throws {
        let registry = try RegistryDouble()
        let manifest = registry.addImage(layer: layer)
        let known = manifest.layers[0].digest
        let summary = try await pull(registry) { manifest, configuration in
            // The configuration is there by then.
            #expect(manifest.config.digest == .sha256(Digest(hashing: configuration)))
            return [known]
        }
        #expect(summary.blobs == [.known: 1, .downloaded: 1] && summary.knownBytes == 200_000)
        #expect(!registry.requests.contains { $0.target.contains("\(known)") })
    }

    @Test func whatAnotherImageOfTheIndexNeedsIsFetched() async throws {
        let registry = try RegistryDouble()
        let first = registry.addImage(layer: layer)
        let second = registry.withContents { contents in
            let config = Array(#"{"architecture":"arm64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#.utf8)
            contents.blobs["\(Digest(hashing: config))"] = config
            let manifest = Manifest(
                config: Descriptor(mediaType: .imageConfiguration, of: config), layers: first.layers)
            contents.add(manifest.canonicalBytes, .imageManifest, tag: "2")
            let entries = [first, manifest].map { Descriptor(mediaType: .imageManifest, of: $0.canonicalBytes) }
            contents.add(ImageIndex(manifests: entries).canonicalBytes, .imageIndex, tag: "all")
            return manifest
        }
        let known = first.layers[0].digest
        let config = second.config.digest
        let summary = try await pull(registry, "all") { manifest, _ in manifest.config.digest == config ? [] : [known] }
        #expect(summary.blobs == [.downloaded: 3])
    }

    @Test func aBlobThatIsDamagedOnDiskIsFetchedAgain() async throws {
        let registry = try RegistryDouble()
        let manifest = registry.addImage(layer: layer)
        _ = try await pull(registry)
        let name = "layout/blobs/" + "\(manifest.layers[0].digest)".replacing(":", with: "/")
        try folder.write(name, Array(layer.reversed()))
        #expect(try await pull(registry).blobs == [.present: 1, .downloaded: 1])
        #expect(try blob(manifest.layers[0].digest) == layer)
    }

    /// The part of `body` that the request asks for as far as `count` bytes; the connection ends when they have arrived.
    private static func cut(
        _ body: [UInt8], _ request: HTTPDouble.Request, after count: Int, _ arrivals: Arrivals
    ) -> HTTPDouble.Reply {
        let start = request.headers["range"].flatMap { Int($0.dropFirst(6).dropLast()) } ?? 0
        var reply = HTTPDouble.Reply(start == 0 ? 200 : 206, [], Array(body[start..<(start + count)]))
        if start > 0 { reply.headers = [("Content-Range", "bytes \(start)-\(body.count - 1)/\(body.count)")] }
        reply.claimedLength = body.count - start
        reply.beforeClosing = { arrivals.wait(for: Int64(start + count)) }
        return reply
    }

    @Test func aConnectionThatBreaksIsGoneOnWith() async throws {
        let asked = Mutex<[String?]>([])
        let arrivals = Arrivals()
        let body = layer
        let registry = try RegistryDouble { request, _ in
            guard request.target.hasSuffix("\(Digest(hashing: body))") else { return nil }
            let count = asked.withLock {
                $0.append(request.headers["range"])
                return $0.count
            }
            return count == 3 ? nil : Self.cut(body, request, after: 50_000, arrivals)
        }
        let manifest = registry.addImage(layer: layer)
        _ = try await pull(registry, arrivals: arrivals)
        #expect(try blob(manifest.layers[0].digest) == layer)
        // Each goes on behind what had arrived of the 50,000 bytes; on a busy machine the connection may end before all have.
        let requests = asked.withLock { $0 }
        let starts = requests.dropFirst().compactMap { $0.flatMap { Int($0.dropFirst(6).dropLast()) } }
        #expect(requests.count == 3 && requests[0] == nil && starts.count == 2, "\(requests)")
        #expect((1...50_000).contains(starts[0]) && (1...50_000).contains(starts[1] - starts[0]), "\(requests)")
    }

    @Test func aLaterPullGoesOnWhereOneEnded() async throws {
        let arrivals = Arrivals()
        let body = layer
        let isBroken = Mutex(true)
        let registry = try RegistryDouble { request, _ in
            guard request.target.hasSuffix("\(Digest(hashing: body))"), isBroken.withLock({ $0 }) else { return nil }
            if request.headers["range"] != nil { return HTTPDouble.Reply(503) }
            return Self.cut(body, request, after: 70_000, arrivals)
        }
        let manifest = registry.addImage(layer: layer)
        await #expect(throws: RegistryError.self) { try await pull(registry, arrivals: arrivals) }
        isBroken.withLock { $0 = false }
        _ = try await pull(registry)
        #expect(try blob(manifest.layers[0].digest) == layer)
        // Behind what had arrived of the 70,000 bytes; on a busy machine the connection may end before all have.
        let range = try #require(registry.requests.compactMap { $0.headers["range"] }.last)
        #expect(range.hasPrefix("bytes=") && range.hasSuffix("-"), "\(range)")
        #expect((1...70_000).contains(Int(range.dropFirst(6).dropLast()) ?? 0), "\(range)")
    }

    /// A wrong answer for the layer, and whether the pull gets over it.
    enum Damage: CaseIterable, Sendable {
        case otherBytes, longer, shorter, endless, missing, rangeUnasked, wrongRange, wrongRangeOnce, compressed,
            forbidden

        var isOvercome: Bool { self == .wrongRangeOnce }

        func reply(_ body: [UInt8], _ request: HTTPDouble.Request, count: Int) -> HTTPDouble.Reply? {
            let range = request.headers["range"]
            switch self {
            case .otherBytes: return .init(200, [], body.reversed())
            case .longer: return .init(200, [], body + [0])
            case .shorter: return .init(200, [], Array(body.dropLast()))
            case .endless:
                var reply = HTTPDouble.Reply(200, [], body + body + body)
                reply.isChunked = true
                return reply
            case .missing: return .init(404, [], Array(#"{"errors":[{"code":"BLOB_UNKNOWN"}]}"#.utf8))
            case .forbidden: return .init(403)
            case .rangeUnasked: return .init(206, [("Content-Range", "bytes 0-9/10")], Array(body[..<10]))
            case .compressed: return .init(200, [("Content-Encoding", "gzip")], Array(body.dropFirst(9)))
            case .wrongRange, .wrongRangeOnce:
                if range == nil, self == .wrongRangeOnce, count > 1 { return nil }
                var reply = HTTPDouble.Reply(range == nil ? 200 : 206, [], Array(body[..<100]))
                if range != nil { reply.headers = [("Content-Range", "bytes 7-106/\(body.count)")] }
                reply.claimedLength = range == nil ? body.count : 100
                return reply
            }
        }
    }

    @Test(arguments: Damage.allCases) func whatIsWrongIsNotKept(_ damage: Damage) async throws {
        let body = layer
        let count = Mutex(0)
        let registry = try RegistryDouble { request, _ in
            guard request.target.hasSuffix("\(Digest(hashing: body))") else { return nil }
            return damage.reply(
                body, request,
                count: count.withLock {
                    $0 += 1; return $0
                })
        }
        let manifest = registry.addImage(layer: layer)
        if damage.isOvercome {
            _ = try await pull(registry)
            #expect(try blob(manifest.layers[0].digest) == layer)
        } else {
            await #expect(throws: RegistryError.self) { try await pull(registry) }
            #expect(try LayoutDirectory(opening: path).index() == nil)
        }
        try expectOnlyTrueBlobs()
    }

    /// A wrong answer for the manifest.
    enum Deceit: CaseIterable, Sendable {
        case claimedDigest, otherForDigest, endless, noJSON, typeDiffers, bothKinds, oldSchema

        func reply(_ bytes: [UInt8]) -> HTTPDouble.Reply {
            let type = ("Content-Type", MediaType.imageManifest.text)
            switch self {
            case .claimedDigest: return .init(200, [type, ("Docker-Content-Digest", "\(Digest.empty)")], bytes)
            case .otherForDigest: return .init(200, [type], bytes + [0x20])
            case .endless: return .init(200, [type], [UInt8](repeating: 0x20, count: 5 << 20))
            case .noJSON: return .init(200, [type], Array("<html>".utf8))
            case .typeDiffers: return .init(200, [("Content-Type", MediaType.imageIndex.text)], bytes)
            case .bothKinds:
                return .init(
                    200, [type],
                    Array(String(decoding: bytes.dropLast(), as: UTF8.self).utf8) + Array(#","manifests":[]}"#.utf8))
            case .oldSchema:
                return .init(
                    200, [("Content-Type", "application/vnd.docker.distribution.manifest.v1+prettyjws")],
                    Array(#"{"schemaVersion":1}"#.utf8))
            }
        }
    }

    @Test(arguments: Deceit.allCases) func manifestsAreNotBelieved(_ deceit: Deceit) async throws {
        let registry = try RegistryDouble { request, contents in
            guard request.path.contains("/manifests/"), let found = contents.manifests["1"] else { return nil }
            return deceit.reply(found.bytes)
        }
        _ = registry.addImage(layer: layer)
        let digest = try #require(registry.withContents { $0.manifests["1"].map { Digest(hashing: $0.bytes) } })
        await #expect(throws: RegistryError.self) { try await pull(registry, "\(digest)") }
        #expect(try LayoutDirectory(opening: path).index() == nil)
        #expect(!registry.requests.contains { $0.path.contains("/blobs/") })
    }

    @Test func urlsOfForeignLayersAreNotFollowed() async throws {
        let elsewhere = try HTTPDouble { _ in .init(200, [], Array("foreign".utf8)) }
        let registry = try RegistryDouble()
        let url = "http://\(elsewhere.host)/layer"
        registry.withContents { contents in
            var manifest = contents.addImage(layer: [1])
            manifest.layers[0] = Descriptor(mediaType: .layerTar, of: Array("foreign".utf8))
            manifest.layers[0].urls = [url]
            contents.add(manifest.canonicalBytes, .imageManifest, tag: "1")
        }
        await #expect(throws: RegistryError.self) { try await pull(registry) }
        #expect(elsewhere.requests.isEmpty)
    }

    @Test func anIndexGivesOneImageOrAll() async throws {
        let registry = try RegistryDouble()
        let manifests = registry.withContents { contents in
            let manifests = ["amd", "arm"].map { contents.addImage(layer: Array($0.utf8)) }
            var index = ImageIndex()
            for (manifest, architecture) in zip(manifests, ["amd64", "arm64"]) {
                var entry = Descriptor(mediaType: .imageManifest, of: manifest.canonicalBytes)
                entry.platform = Platform(architecture: architecture)
                index.manifests.append(entry)
            }
            contents.add(index.canonicalBytes, .imageIndex, tag: "1")
            return manifests
        }
        let one = try await pull(registry, "1", .platform(Platform(architecture: "arm64")))
        #expect(one.manifest.digest == .sha256(Digest(hashing: manifests[1].canonicalBytes)))
        #expect(one.blobs == [.downloaded: 2])
        let all = try await pull(registry)
        #expect(all.manifest.mediaType == .imageIndex && all.blobs == [.present: 2, .downloaded: 1])
        await #expect(
            throws: RegistryError.noPlatform(Platform(architecture: "s390x"), offered: ["linux/amd64", "linux/arm64"])
        ) {
            try await pull(registry, "1", .platform(Platform(architecture: "s390x")))
        }
    }

    @Test func anIndexOfItselfWithoutEndIsRefused() async throws {
        let registry = try RegistryDouble { request, contents in
            guard request.path.contains("/manifests/") else { return nil }
            // Nested deeper than anybody means it; each names the next by its true digest.
            var bytes = ImageIndex().canonicalBytes
            for _ in 0..<20 {
                contents.add(bytes, .imageIndex, tag: "1")
                bytes = ImageIndex(manifests: [Descriptor(mediaType: .imageIndex, of: bytes)]).canonicalBytes
            }
            return nil
        }
        await #expect(throws: RegistryError.self) { try await pull(registry) }
        #expect(registry.requests.count < 15)
    }

    @Test func theLayoutIsNotLeftByLinks() async throws {
        let registry = try RegistryDouble()
        let manifest = registry.addImage(layer: layer)
        _ = try LayoutDirectory(making: path)
        let name = "\(manifest.layers[0].digest)".dropFirst(7)
        let canary = folder.path + "/canary"
        try folder.write("canary", Array("canary".utf8))
        for link in [".partial-\(name)", String(name)] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/layout/blobs/sha256/" + link, withDestinationPath: canary)
        }
        await #expect(throws: RegistryError.self) { try await pull(registry) }
        #expect(try folder.read("canary") == Array("canary".utf8))
    }
}

/// Lets a server wait until what it sent has arrived.
final class Arrivals: TransferObserver {
    private let most = Mutex<Int64>(0)

    func transfer(_ blob: Descriptor, _ event: TransferEvent) {
        if case .reached(let count) = event { most.withLock { $0 = max($0, count) } }
    }

    func wait(for count: Int64) {
        let deadline = ContinuousClock.now + .seconds(60)
        while most.withLock({ $0 }) < count, ContinuousClock.now < deadline { usleep(1000) }
    }
}
