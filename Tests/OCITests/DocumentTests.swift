import Digests
import OCI
import TestSupport
import Testing

@Suite struct DocumentTests {
    @Test(
        "the image-spec's own examples: what it rejects is rejected, what it accepts is accepted",
        .enabled(if: Corpus.isPresent("oci-image-spec"), "the corpus is not there"))
    func corpus() throws {
        var counts = ["reject": 0, "accept": 0]
        for row in Corpus.rows("oci-image-spec", "EXPECTED.tsv") {
            let bytes = try Corpus.file("oci-image-spec", row[0])
            let outcome = Result { () throws(OCIError) in
                switch row[0].split(separator: "-").first {
                case "config": _ = try ImageConfiguration(parsing: bytes)
                case "descriptor": _ = try Descriptor(parsing: bytes)
                case "imageindex": _ = try ImageIndex(parsing: bytes)
                case "imagelayout": _ = try ImageLayoutHeader(parsing: bytes)
                default: _ = try Manifest(parsing: bytes)
                }
            }
            let isAccepted = if case .success = outcome { true } else { false }
            #expect(isAccepted == (row[1] == "accept"), "\(row[0]): \(row[2]): \(outcome)")
            counts[row[1], default: 0] += 1
        }
        #expect(counts == ["reject": 40, "accept": 27])
    }

    static let digest = Digest(hashing: Array("layer".utf8))

    @Test("a manifest has pinned bytes") func manifestBytes() {
        let config = Descriptor(mediaType: .imageConfiguration, of: Array("{}".utf8))
        let layer = Descriptor(mediaType: .layerTarGzip, digest: Self.digest, size: 5)
        let manifest = Manifest(config: config, layers: [layer], annotations: ["b/é": "1\n\"", "a": "\u{1}"])
        #expect(
            String(decoding: manifest.canonicalBytes, as: UTF8.self) == """
                {"annotations":{"a":"\\u0001","b/é":"1\\n\\""},"config":{"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb\
                4fc21fe77e8310c060f61caaff8a","mediaType":"application/vnd.oci.image.config.v1+json","size":2},"layers":[{"dig\
                est":"\(Self.digest)","mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":5}],"mediaType":"applica\
                tion/vnd.oci.image.manifest.v1+json","schemaVersion":2}
                """)
    }

    @Test("a configuration has pinned bytes") func configurationBytes() {
        let configuration = ImageConfiguration(
            created: RFC3339.text(secondsSinceEpoch: 1_700_000_000),
            platform: Platform(architecture: "arm64", variant: "v8"),
            execution: Execution(
                exposedPorts: ["80/tcp", "443/tcp"], environment: ["PATH=/bin"], entrypoint: ["/bin/sh"], command: [],
                workingDirectory: "/", labels: ["z": "", "a": "/"]),
            diffIDs: [DiffID(Self.digest)], history: [.init(createdBy: "layerfs add sh")])
        #expect(
            String(decoding: configuration.canonicalBytes, as: UTF8.self) == """
                {"architecture":"arm64","config":{"Cmd":[],"Entrypoint":["/bin/sh"],"Env":["PATH=/bin"],"ExposedPorts":{"443/tcp\
                ":{},"80/tcp":{}},"Labels":{"a":"/","z":""},"WorkingDir":"/"},"created":"2023-11-14T22:13:20Z","history":[{"cre\
                ated_by":"layerfs add sh"}],"os":"linux","rootfs":{"diff_ids":["\(Self.digest)"],"type":"layers"},"variant":"v8"}
                """)
    }

    @Test("what is written is read back as the same value") func roundTrip() throws {
        let descriptor = Descriptor(
            mediaType: .imageManifest, digest: Self.digest, size: 0,
            annotations: [AnnotationKey.referenceName: "1.0"], platform: Platform(architecture: "amd64"))
        let index = ImageIndex(manifests: [descriptor], annotations: ["a": "b"])
        #expect(try ImageIndex(parsing: index.canonicalBytes) == index)
        #expect(try ImageIndex(parsing: ImageIndex().canonicalBytes) == ImageIndex())
        let manifest = Manifest(config: descriptor, layers: [descriptor, descriptor])
        #expect(try Manifest(parsing: manifest.canonicalBytes) == manifest)
        let configuration = ImageConfiguration(
            created: "2023-11-14T22:13:20.5+02:00", author: "a", platform: Platform(architecture: "arm", variant: "v7"),
            execution: Execution(
                user: "1:2", exposedPorts: ["1"], environment: ["A="], entrypoint: ["x"], command: ["y", ""],
                volumes: ["/v"], workingDirectory: "/w", labels: ["l": "1"], stopSignal: "SIGTERM"),
            diffIDs: [DiffID(Self.digest)],
            history: [.init(created: "2023-11-14T22:13:20Z", createdBy: "c", comment: "d", isEmptyLayer: true)])
        #expect(try ImageConfiguration(parsing: configuration.canonicalBytes) == configuration)
        let images = [DockerArchiveImage(config: "blobs/sha256/a", repositoryTags: ["a:b"], layers: ["l"])]
        #expect(try DockerArchiveImage.parse(DockerArchiveImage.canonicalBytes(of: images)) == images)
        #expect(try ImageLayoutHeader(parsing: ImageLayoutHeader().canonicalBytes) == ImageLayoutHeader())
    }

    @Test("a document of two kinds is refused") func ambiguous() {
        let both = #"{"schemaVersion":2,"manifests":[],"config":{},"layers":[]}"#
        #expect(throws: OCIError.ambiguousDocument(field: "manifests")) { try Manifest(parsing: Array(both.utf8)) }
        #expect(throws: OCIError.ambiguousDocument(field: "layers")) { try ImageIndex(parsing: Array(both.utf8)) }
        let lie = #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]}"#
        #expect(throws: OCIError.self) { try ImageIndex(parsing: Array(lie.utf8)) }
    }

    @Test("an entry of the same name is replaced, others are kept") func replacing() {
        func entry(_ text: String, _ name: String?) -> Descriptor {
            Descriptor(
                mediaType: .imageManifest, digest: Digest(hashing: Array(text.utf8)), size: 1,
                annotations: name.map { [AnnotationKey.referenceName: $0] } ?? [:],
                platform: Platform(architecture: "amd64"))
        }
        var index = ImageIndex(manifests: [entry("1", "a"), entry("2", "b"), entry("3", nil)])
        index.replace(entry("4", "a"))
        #expect(index.manifests == [entry("2", "b"), entry("3", nil), entry("4", "a")])
        index.replace(entry("3", nil))
        #expect(index.manifests == [entry("2", "b"), entry("4", "a"), entry("3", nil)])
    }
}
