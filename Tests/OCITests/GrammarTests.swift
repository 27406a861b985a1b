import Digests
import OCI
import Testing

@Suite struct GrammarTests {
    @Test(
        "image names are taken apart",
        arguments: [
            ("bash", nil, "bash", nil, "docker.io/library/bash:latest"),
            ("a/b:1", nil, "a/b", "1", "docker.io/a/b:1"),
            ("ghcr.io/o/r:1.0", "ghcr.io", "o/r", "1.0", "ghcr.io/o/r:1.0"),
            ("localhost/x", "localhost", "x", nil, "localhost/x:latest"),
            ("localhost:5000/x:y", "localhost:5000", "x", "y", "localhost:5000/x:y"),
            ("[::1]:5000/x:y", "[::1]:5000", "x", "y", "[::1]:5000/x:y"),
            ("[2001:db8::1]/x", "[2001:db8::1]", "x", nil, "[2001:db8::1]/x:latest"),
            ("h:1/a__b/c--d.e_f", "h:1", "a__b/c--d.e_f", nil, "h:1/a__b/c--d.e_f:latest"),
        ] as [(String, String?, String, String?, String)])
    func references(text: String, registry: String?, repository: String, tag: String?, full: String) throws {
        let reference = try Reference(parsing: text)
        #expect(reference.registry == registry)
        #expect(reference.repository == repository)
        #expect(reference.tag == tag)
        #expect(reference.description == text)
        #expect(reference.qualified.description == full)
    }

    @Test func aDigestIsPartOfAName() throws {
        let digest = "sha256:" + String(repeating: "0a", count: 32)
        let reference = try Reference(parsing: "a:t@" + digest)
        #expect(reference.digest?.description == digest)
        #expect(reference.tag == "t")
        #expect(reference.qualified.description == "docker.io/library/a:t@" + digest)
    }

    @Test(
        "what is no image name is refused",
        arguments: [
            "", "A", "a:", "a:-", "a@sha256:0", "a//b", "/a", "a/", "a b", "../a", "a..b", "a___b", "-a", "a-", "é",
            "a:b:c",
            "a:" + String(repeating: "t", count: 129), String(repeating: "a", count: 300), "-h.io/a", "h:99999999/a",
            "a\n", "h:x/a", "[::1]", "[::1/a", "[]/a", "[:]x/a", "[::g]/a", "[::1]:/a", "[::1]:x/a", "[1]/a",
        ])
    func badReferences(text: String) {
        #expect(throws: OCIError.self) { try Reference(parsing: text) }
    }

    @Test(
        "names of references in a layout",
        arguments: [
            ("1.0", true), ("a/b:c@d+e", true), ("a--b", true), ("", false), ("a---b", false), ("-a", false),
            ("a//b", false), ("../x", false), ("a\n", false), ("a b", false),
        ])
    func referenceNames(text: String, isValid: Bool) {
        #expect(Reference.isReferenceName(text) == isValid)
    }

    @Test(
        "platforms",
        arguments: [
            ("linux/amd64", Platform(architecture: "amd64")),
            ("linux/arm64/v8", Platform(architecture: "arm64", variant: "v8")),
            ("amd64", nil), ("linux/", nil), ("a/b/c/d", nil), ("Linux/amd64", nil), ("", nil),
        ] as [(String, Platform?)])
    func platforms(text: String, platform: Platform?) {
        #expect((try? Platform(parsing: text)) == platform)
        if let platform { #expect(platform.description == text) }
    }

    @Test(
        "times",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"), (-62_167_219_200, "0000-01-01T00:00:00Z"),
            (.min, "0000-01-01T00:00:00Z"), (.max, "9999-12-31T23:59:59Z"),
        ] as [(Int64, String)])
    func times(seconds: Int64, text: String) {
        #expect(RFC3339.text(secondsSinceEpoch: seconds) == text)
        #expect(RFC3339.isValid(text))
    }

    @Test(
        "texts that are no time",
        arguments: [
            "", "2000-01-01", "2000-01-01T00:00:00", "2000-13-01T00:00:00Z", "2000-01-01T24:00:00Z",
            "2000-01-01T00:00:00.Z", "2000-01-01T00:00:00+0200", "2000-01-01 00:00:00Z", "2000-01-01T00:00:00Zx",
        ])
    func badTimes(text: String) {
        #expect(!RFC3339.isValid(text))
    }
}
