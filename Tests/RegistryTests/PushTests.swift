import Bytes
import Digests
import OCI
import RegistryProtocol
import Synchronization
import TestSupport
import Testing

@testable import Registry

/// Pushing to a registry that does well, and to ones that do not.
struct PushTests {
    let folder: TemporaryDirectory
    let layout: LayoutDirectory
    let image: Descriptor
    let layer = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 17 >> 2) }

    init() throws {
        folder = try TemporaryDirectory()
        layout = try LayoutDirectory(making: ByteString(folder.path + "/layout"))
        let config = Array("{}".utf8)
        let manifest = Manifest(
            config: Descriptor(mediaType: .imageConfiguration, of: config),
            layers: [Descriptor(mediaType: .layerTar, of: layer)])
        image = Descriptor(mediaType: .imageManifest, of: manifest.canonicalBytes)
        for bytes in [config, layer, manifest.canonicalBytes] { try layout.add(bytes, Digest(hashing: bytes)) }
    }

    private var layerDigest: String { "\(Digest(hashing: layer))" }

    private func push(
        _ registry: RegistryDouble, chunkSize: Int64 = 1 << 30, mounting: [String] = [], as tag: String = "1",
        attempts: Int = 4
    ) async throws -> TransferSummary {
        try await registry.connect {
            $0.chunkSize = chunkSize
            $0.retry.attempts = attempts
        } _: { repository in
            var push = PushLayout(repository, from: layout)
            push.mountSources = mounting
            return try await push.run(image, as: tag)
        }
    }

    @Test func blobsComeFirstAndTheTagLast() async throws {
        let registry = try RegistryDouble()
        let summary = try await push(registry)
        #expect(summary.blobs == [.uploaded: 2] && summary.bytes == 200_002)
        #expect(registry.withContents { $0.blobs[layerDigest] } == layer)
        #expect(registry.withContents { $0.manifests["1"]?.bytes } == (try layout.document(image)))
        let last = try #require(registry.requests.last)
        #expect(last.method == "PUT" && last.path == "/v2/r/manifests/1")
        #expect(last.headers["content-type"] == MediaType.imageManifest.text)
        // Again, nothing is sent.
        #expect(try await push(registry).blobs == [.present: 2])
    }

    @Test(arguments: [60_000, 100_000, 199_999, 200_000, 200_001]) func chunks(size: Int64) async throws {
        let registry = try RegistryDouble()
        _ = try await push(registry, chunkSize: size)
        #expect(registry.withContents { $0.blobs[layerDigest] } == layer)
        let patches = registry.requests.filter { $0.method == "PATCH" }
        #expect(patches.count == (size >= 200_000 ? 0 : Int((200_000 + size - 1) / size)))
    }

    @Test func theLeastChunkOfTheRegistryIsHonoured() async throws {
        let registry = try RegistryDouble { request, contents in
            guard request.method == "POST" else { return nil }
            let name = "u\(contents.uploads.count)"
            contents.uploads[name] = []
            return .init(202, [("Location", "/v2/r/blobs/uploads/\(name)"), ("OCI-Chunk-Min-Length", "90000")])
        }
        _ = try await push(registry, chunkSize: 1000)
        #expect(registry.requests.filter { $0.method == "PATCH" }.map { $0.body.count } == [90_000, 90_000, 20_000])
    }

    /// What goes wrong with the second chunk, once.
    enum ChunkFault: CaseIterable, Sendable { case busy, halfArrived, arrivedUnsaid, outOfOrder }

    @Test(arguments: ChunkFault.allCases) func aChunkThatIsLostIsSentAgain(_ fault: ChunkFault) async throws {
        let hasFailed = Mutex(false)
        let registry = try RegistryDouble { request, contents in
            let isSecond = request.method == "PATCH" && request.headers["content-range"]?.hasPrefix("60000-") == true
            guard isSecond,
                hasFailed.withLock({
                    let old = $0; $0 = true; return !old
                })
            else { return nil }
            let name = String(request.path.split(separator: "/").last ?? "")
            switch fault {
            case .busy: break
            case .halfArrived: contents.uploads[name]? += request.body[..<30_000]
            case .arrivedUnsaid: contents.uploads[name]? += request.body
            case .outOfOrder: return .init(416)
            }
            return .init(503)
        }
        _ = try await push(registry, chunkSize: 60_000)
        #expect(hasFailed.withLock { $0 })
        #expect(registry.withContents { $0.blobs[layerDigest] } == layer)
        let sent = registry.requests.filter { $0.method == "PATCH" }.compactMap { $0.headers["content-range"] }
        #expect(
            sent.contains(
                fault == .halfArrived ? "90000-149999" : fault == .arrivedUnsaid ? "120000-179999" : "60000-119999"))
        #expect(registry.requests.contains { $0.method == "GET" && $0.path.contains("/uploads/") })
    }

    @Test(arguments: [408, 429, 500, 502, 503, 504]) func whatPassesIsTriedAgain(status: Int) async throws {
        let failures = Mutex(3)
        let registry = try RegistryDouble { request, _ in
            guard request.method == "PUT",
                failures.withLock({
                    $0 -= 1; return $0 >= 0
                })
            else { return nil }
            return .init(status, [("Retry-After", "1")])
        }
        _ = try await push(registry)
        #expect(registry.withContents { $0.blobs[layerDigest] } == layer)
    }

    @Test func attemptsEnd() async throws {
        let registry = try RegistryDouble { request, _ in request.method == "POST" ? .init(503) : nil }
        await #expect {
            try await push(registry, attempts: 3)
        } throws: { error in
            guard case .busy? = error as? RegistryError else { return false }
            return true
        }
        #expect(registry.withContents { $0.manifests.isEmpty })
    }

    @Test func aLongWaitIsNotWaitedFor() async throws {
        let registry = try RegistryDouble { request, _ in
            request.method == "HEAD" ? .init(429, [("Retry-After", "86400")]) : nil
        }
        await #expect {
            try await push(registry)
        } throws: { "\($0)".contains("asks to wait 86400 s") }
    }

    @Test(arguments: [400, 403, 404, 405, 413]) func whatDoesNotPassIsNotTriedAgain(status: Int) async throws {
        let registry = try RegistryDouble { request, _ in request.method == "POST" ? .init(status) : nil }
        await #expect(throws: RegistryError.self) { try await push(registry) }
        #expect(registry.requests.filter { $0.method == "POST" }.count <= 2)
        #expect(registry.withContents { $0.manifests.isEmpty })
    }

    @Test func anUploadToAnotherHostIsRefused() async throws {
        let elsewhere = try HTTPDouble { _ in .init(201) }
        let registry = try RegistryDouble { request, _ in
            request.method == "POST" ? .init(202, [("Location", "http://\(elsewhere.host)/upload")]) : nil
        }
        await #expect(
            throws: RegistryError.refusedUploadLocation(
                from: "http://\(registry.host)", to: "http://\(elsewhere.host)")
        ) { try await push(registry) }
        #expect(elsewhere.requests.isEmpty)
    }

    @Test(arguments: ["POST", "PUT", "PATCH"]) func whatIsStoredIsNotRedirected(method: String) async throws {
        let elsewhere = try HTTPDouble { _ in .init(202, [("Location", "/x")]) }
        let registry = try RegistryDouble { request, _ in
            request.method == method ? .init(307, [("Location", "http://\(elsewhere.host)/")]) : nil
        }
        await #expect(throws: RegistryError.self) { try await push(registry, chunkSize: 60_000) }
        #expect(elsewhere.requests.isEmpty)
    }

    @Test func aBlobIsMountedOrUploaded() async throws {
        let registry = try RegistryDouble { request, contents in
            guard request.method == "POST", request.query.contains("mount=") else { return nil }
            if request.query.hasSuffix("&from=has%2Fit") { return .init(201) }
            contents.uploads["unasked"] = []
            return .init(202, [("Location", "/v2/r/blobs/uploads/unasked")])
        }
        #expect(try await push(registry, mounting: ["lacks/it", "has/it"], as: "2").blobs == [.mounted: 2])
        #expect(try await push(registry, mounting: ["lacks/it", "r"], as: "3").blobs == [.uploaded: 2])
        #expect(registry.requests.contains { $0.method == "DELETE" && $0.path.hasSuffix("/unasked") })
    }

    @Test func whatIsDamagedIsNotSent() async throws {
        try folder.write("layout/blobs/sha256/" + layerDigest.dropFirst(7), Array(layer.reversed()))
        let registry = try RegistryDouble()
        await #expect(throws: RegistryError.missingBlob(digest: layerDigest)) { try await push(registry) }
        #expect(registry.withContents { $0.manifests.isEmpty && $0.blobs[layerDigest] == nil })
    }

    @Test func anIndexIsPushedWithItsImages() async throws {
        let registry = try RegistryDouble()
        let index = ImageIndex(manifests: [image])
        try layout.add(index.canonicalBytes, Digest(hashing: index.canonicalBytes))
        let root = Descriptor(mediaType: .imageIndex, of: index.canonicalBytes)
        _ = try await registry.connect { try await PushLayout($0, from: layout).run(root, as: "multi") }
        #expect(registry.withContents { $0.manifests["multi"]?.type } == MediaType.imageIndex.text)
        #expect(registry.withContents { $0.manifests["\(image.digest)"]?.bytes } == (try layout.document(image)))
        let back = try LayoutDirectory(making: ByteString(folder.path + "/back"))
        let summary = try await registry.connect {
            try await PullImage($0, into: back, .all).run("multi", annotations: [:])
        }
        #expect(summary.manifest.digest == root.digest && summary.blobs == [.downloaded: 2])
    }

    @Test func aDigestThatIsNotTheImagesIsRefused() async throws {
        let registry = try RegistryDouble()
        await #expect(throws: RegistryError.self) { try await push(registry, as: "\(Digest.empty)") }
        _ = try await push(registry, as: "\(image.digest)")
    }

    @Test(arguments: [true, false]) func artifactsAreFoundByTheirSubject(knowsReferrers: Bool) async throws {
        let registry = try RegistryDouble { request, contents in
            guard request.path.contains("/referrers/"), contents.knowsReferrers else { return nil }
            let subject = request.path.split(separator: "/").last.map(String.init)
            var index = ImageIndex()
            for (name, document) in contents.manifests where name.hasPrefix("sha256:") {
                guard let manifest = try? Manifest(parsing: document.bytes),
                    manifest.subject.map({ "\($0.digest)" }) == subject
                else { continue }
                var entry = Descriptor(mediaType: .imageManifest, of: document.bytes)
                entry.artifactType = manifest.artifactType
                index.manifests.append(entry)
            }
            return .init(200, [("Content-Type", MediaType.imageIndex.text)], index.canonicalBytes)
        }
        registry.withContents { $0.knowsReferrers = knowsReferrers }
        _ = try await push(registry)
        let type = try MediaType(parsing: "application/spdx+json")
        try await registry.connect { repository in
            for name in ["one.json", "two.json"] {
                try folder.write(name, Array(name.utf8))
                let scratch = try LayoutDirectory(making: ByteString(folder.path + "/scratch-" + name))
                _ = try await AttachArtifact(repository).run(
                    ByteString(folder.path + "/" + name), as: type, to: image, scratch: scratch)
            }
            let found = try await repository.referrers(of: image.checkedDigest())
            #expect(found.count == 2 && found.allSatisfy { $0.artifactType == type })
            #expect(try await repository.referrers(of: image.checkedDigest(), artifactType: .empty).isEmpty)
            let artifact = try await repository.manifest("\(found[0].digest)")
            guard case .manifest(let manifest) = artifact.document else {
                Issue.record("an artifact is a manifest")
                return
            }
            #expect(manifest.subject?.digest == image.digest && manifest.config.mediaType == .empty)
            #expect(manifest.layers[0].annotations[AnnotationKey.title]?.hasSuffix(".json") == true)
        }
        let tag = "sha256-" + "\(image.digest)".dropFirst(7)
        #expect(registry.withContents { $0.manifests[tag] != nil } == !knowsReferrers)
    }

    @Test func tagsComeInPages() async throws {
        let registry = try RegistryDouble { request, _ in
            guard request.path.hasSuffix("/tags/list") else { return nil }
            return request.query.isEmpty
                ? .init(
                    200, [("Link", "</v2/r/tags/list?last=b>; rel=\"next\"")], Array(#"{"tags":["a","b","../x"]}"#.utf8)
                )
                : .init(200, [], Array(#"{"tags":["c"]}"#.utf8))
        }
        #expect(try await registry.connect { try await $0.tags() } == ["a", "b", "c"])
        let elsewhere = try RegistryDouble { request, _ in
            request.path.hasSuffix("/tags/list")
                ? .init(
                    200, [("Link", "<http://\(registry.host)/v2/r/tags/list>; rel=\"next\"")],
                    Array(#"{"tags":[]}"#.utf8)) : nil
        }
        let before = registry.requests.count
        await #expect(throws: RegistryError.self) { try await elsewhere.connect { try await $0.tags() } }
        #expect(registry.requests.count == before)
    }
}
