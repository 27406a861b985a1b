import Bytes
import Digests
import ImageTransport
import OCI
import TestSupport
import Testing

@Suite struct LocationTests {
    @Test(
        "places as skopeo writes them",
        arguments: [
            ("oci:dir", ImageLocation(.oci, "dir")), ("oci:./a/b:1.0", ImageLocation(.oci, "./a/b", reference: "1.0")),
            ("oci:/a:shell:1.0", ImageLocation(.oci, "/a", reference: "shell:1.0")),
            ("oci-archive:f.tar:x", ImageLocation(.ociArchive, "f.tar", reference: "x")),
            (
                "docker-archive:f:localhost:5000/a/b:1",
                ImageLocation(.dockerArchive, "f", reference: "localhost:5000/a/b:1")
            ),
            ("docker://ghcr.io/o/b:2", ImageLocation(.docker, "ghcr.io/o/b:2")),
        ])
    func valid(text: String, expected: ImageLocation) throws {
        let location = try #require(try ImageLocation(parsing: ByteString(text)))
        #expect(location == expected)
        #expect(location.description == text)
    }

    @Test("a path or a name is no place", arguments: ["", "shell", "./dir", "/a:b", "dir:x", "shell:1.0", "OCI:x"])
    func none(text: String) throws {
        #expect(try ImageLocation(parsing: ByteString(text)) == nil)
    }

    @Test(
        "half a place is refused", arguments: ["oci:", "oci::x", "oci:a:", "docker:x", "docker://", "docker-archive:"])
    func invalid(text: String) {
        #expect(throws: TransportError.self) { try ImageLocation(parsing: ByteString(text)) }
    }
}

@Suite struct IndexKeepingTests {
    @Test("fields of other entries that layerfs does not know stay when an image is added") func unknownFields() throws
    {
        let fixture = try Fixture()
        let folder = try TemporaryDirectory()
        try fixture.exporter().writeLayout(fixture.image, named: [Reference(parsing: "a:1")], at: folder.at("image"))
        let foreign = """
            {"schemaVersion":2,"x-top":[1,{"deep":null}],"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",\
            "digest":"sha256:\(Digest.empty.hexadecimal)","size":7,"newField":{"a":1.5e3},"platform":{"os":"linux",\
            "architecture":"amd64","features":["sse4"]}}],"annotations":{"k":"v"}}
            """
        try folder.write("image/index.json", Array(foreign.utf8))
        try fixture.exporter().writeLayout(fixture.image, named: [Reference(parsing: "b:2")], at: folder.at("image"))
        let text = String(decoding: try folder.read("image/index.json"), as: UTF8.self)
        for kept in [
            #""newField":{"a":1.5e3}"#, #""features":["sse4"]"#, #""x-top":[1,{"deep":null}]"#,
            #""annotations":{"k":"v"}"#, #""org.opencontainers.image.ref.name":"2""#,
        ] { #expect(text.contains(kept), "\(kept)") }
    }
}
