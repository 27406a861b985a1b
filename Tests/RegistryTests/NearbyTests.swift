import Digests
import OCI
import TestSupport
import Testing

@testable import RegistryProtocol

/// What a registry on this machine is asked before anything of the network begins.
struct NearbyTests {
    private func nearby(_ registry: RegistryDouble) -> NearbyRegistry? { NearbyRegistry(host: registry.host) }

    @Test(arguments: [false, true]) func whatIsThereIsFound(isIPv6: Bool) async throws {
        let registry = try RegistryDouble(isIPv6: isIPv6)
        let image = registry.addImage()
        let found = try #require(nearby(registry)?.wholeImage("1", in: "r"))
        #expect(found.document == .manifest(image))
        let blobs = [image.config, image.layers[0]].map { "HEAD /v2/r/blobs/\($0.digest)" }
        #expect(registry.requests.map { "\($0.method) \($0.path)" } == ["GET /v2/r/manifests/1"] + blobs)
        #expect(
            registry.requests.allSatisfy { $0.headers["authorization"] == nil && $0.headers["host"] == registry.host })
        let digest = "\(try found.descriptor.sha256())"
        #expect(nearby(registry)?.manifest("1", in: "r") == found)
        #expect(nearby(registry)?.manifest(digest, in: "r") == found)
    }

    /// A push never says that a registry has what it lost.
    @Test(arguments: [0, 1]) func whatWasLostIsNotFound(number: Int) throws {
        let registry = try RegistryDouble()
        let image = registry.addImage()
        let digest = "\([image.config, image.layers[0]][number].digest)"
        registry.withContents { $0.blobs[digest] = nil }
        #expect(nearby(registry)?.wholeImage("1", in: "r") == nil)
        // The manifest alone is still there.
        #expect(nearby(registry)?.manifest("1", in: "r") != nil)
        #expect(nearby(registry)?.manifest("2", in: "r") == nil)
    }

    @Test(arguments: [
        ("localhost:5000", true), ("127.0.0.1", true), ("[::1]:5000", true), ("registry.example", false),
        ("10.0.0.1:5000", false), ("169.254.1.1", false), ("a.localhost:5000", false), ("0.0.0.0:5000", false),
        ("docker.io", false),
    ])
    func whoeverIsElsewhereIsNotAskedThisWay(host: String, isNearby: Bool) {
        #expect((NearbyRegistry(host: host) != nil) == isNearby)
    }

    /// What a registry does that is not plainly a yes.
    enum Fault: CaseIterable {
        case refuses, redirects, warns, isBusy, lies, isAnother, isAnIndex, isAbout, isNoJSON, isChunked, isShort,
            isLong
    }

    @Test(arguments: Fault.allCases) func whatIsNotPlainIsNoYes(_ fault: Fault) throws {
        let registry = try RegistryDouble { request, contents in
            guard request.path.contains("/manifests/"), let (type, bytes) = contents.manifests["1"] else { return nil }
            var reply = HTTPDouble.Reply(200, [("Content-Type", type)], bytes)
            switch fault {
            case .refuses: return .init(401, [("WWW-Authenticate", "Basic realm=x")])
            case .redirects: return .init(307, [("Location", "/v2/r/manifests/1?x")])
            case .warns: reply.headers.append(("Warning", "299 - \"soon gone\""))
            case .isBusy: return .init(503)
            case .lies: reply.headers.append(("Docker-Content-Digest", "\(Digest(hashing: []))"))
            case .isAnother: reply.headers = [("Content-Type", MediaType.imageIndex.text)]
            case .isAnIndex:
                let index = #"{"schemaVersion":2,"mediaType":"\#(MediaType.imageIndex.text)","manifests":[]}"#
                return .init(200, [("Content-Type", MediaType.imageIndex.text)], Array(index.utf8))
            case .isAbout:
                let subject =
                    #","subject":{"mediaType":"\#(MediaType.imageManifest.text)","size":2,"#
                    + #""digest":"\#(Digest(hashing: Array("{}".utf8)))"}}"#
                reply.body = bytes.dropLast() + Array(subject.utf8)
            case .isNoJSON: reply.body = Array("<html>".utf8)
            case .isChunked: reply.isChunked = true
            case .isShort: reply.claimedLength = bytes.count + 1
            case .isLong: reply.claimedLength = bytes.count - 1
            }
            return reply
        }
        _ = registry.addImage()
        #expect(nearby(registry)?.wholeImage("1", in: "r") == nil)
    }

    @Test func whoeverIsNotThereIsNotWaitedFor() throws {
        let host = try RegistryDouble().host
        #expect(NearbyRegistry(host: host)?.manifest("1", in: "r") == nil)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 7", 200, 7, true), ("HTTP/1.1 404\r\nContent-Length:0 ", 404, 0, true),
        ("HTTP/1.1 200 \r\ncontent-length:\t12\r\nX: \u{e9}", 200, 12, true), ("HTTP/1.1 204 No Content", 204, 0, true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1", 200, 1, false),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1", 200, 1, false),
    ])
    func plainHeads(text: String, status: Int, length: Int, staysOpen: Bool) throws {
        let head = try #require(ResponseHead(text.utf8))
        #expect(head.status == status && head.contentLength == length && head.staysOpen == staysOpen)
    }

    @Test(arguments: [
        "", "HTTP/1.1", "HTTP/1.1 200 OK", "HTTP/2.0 200 OK\r\nContent-Length: 0",
        "HTTP/1.1 20 OK\r\nContent-Length: 0",
        "HTTP/1.1 2000 OK\r\nContent-Length: 0", "HTTP/1.1 100 Continue\r\nContent-Length: 0",
        "HTTP/1.1  200\r\nContent-Length: 0",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1",
        "HTTP/1.1 200 OK\r\nContent-Length: -1", "HTTP/1.1 200 OK\r\nContent-Length: +1",
        "HTTP/1.1 200 OK\r\nContent-Length: ",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999", "HTTP/1.1 200 OK\r\nContent-Length: 0x1",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1", "HTTP/1.1 200 OK\r\nContent-Length : 1",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n folded", "HTTP/1.1 200 OK\nContent-Length: 1",
        "HTTP/1.1 200 OK\r\n: 1",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nA: b\rc", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nA: \0",
        "http/1.1 200 OK",
    ])
    func otherHeads(text: String) { #expect(ResponseHead(text.utf8) == nil) }

    @Test func damagedHeadsNeverTrap() {
        let head = Array("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nDocker-Content-Digest: sha256:00\r\n".utf8)
        for position in head.indices {
            _ = ResponseHead(head[..<position])
            for byte in [UInt8(0), 0x0D, 0x0A, 0x20, 0x3A, 0x80, 0xFF] {
                var damaged = head
                damaged[position] = byte
                _ = ResponseHead(damaged)
            }
        }
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<fuzzRounds {
            var bytes = head
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            let parsed = ResponseHead(bytes.prefix(.random(in: 0...bytes.count, using: &generator)))
            #expect(parsed.map { (200...999).contains($0.status) && $0.contentLength >= 0 } ?? true)
        }
    }
}
