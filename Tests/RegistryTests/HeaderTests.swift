import OCI
import TestSupport
import Testing

@testable import Registry

struct HeaderTests {
    @Test(arguments: [
        (
            #"Bearer realm="https://a/t",service="s",scope="repository:x:pull,push""#, ["bearer"],
            ["realm": "https://a/t", "service": "s", "scope": "repository:x:pull,push"]
        ),
        (#"Basic realm="x y""#, ["basic"], ["realm": "x y"]),
        ("Basic", ["basic"], [:]),
        (#"Negotiate, Bearer REALM = "r" , a=b,, Basic realm=c"#, ["negotiate", "bearer", "basic"], [:]),
        (#"Bearer realm="a\"b\\c""#, ["bearer"], ["realm": #"a"b\c"#]),
        (#"Bearer realm="first",realm="second""#, ["bearer"], ["realm": "first"]),
        (#"Bearer realm="unterminated"#, ["bearer"], [:]),
        ("", [], [:]), (", ,", [], [:]), (#"="x""#, [], [:]), (#"a="b""#, [], [:]),
    ])
    func challenges(header: String, schemes: [String], first: [String: String]) {
        let parsed = Challenge.parse(header)
        #expect(parsed.map(\.scheme) == schemes)
        #expect(parsed.first?.parameters ?? [:] == first)
    }

    @Test func aHugeChallengeIsNotRead() {
        #expect(Challenge.parse("Bearer realm=\"" + String(repeating: "x", count: 10_000) + "\"") == [])
    }

    @Test func damagedChallengesNeverTrap() {
        var generator = SeededGenerator(seed: 2)
        let seed = Array(#"Bearer realm="https://a/t\"",service=s, Basic realm=c"#.utf8)
        for _ in 0..<fuzzRounds {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            let parsed = Challenge.parse(
                String(decoding: bytes.prefix(.random(in: 0...bytes.count, using: &generator)), as: UTF8.self))
            #expect(parsed.count <= seed.count)
        }
    }

    @Test(
        arguments: [
            ("bytes 0-99/1000", 0..<100, 1000), ("bytes 5-5/*", 5..<6, nil), ("BYTES 0-0/1", 0..<1, 1),
        ] as [(String, Range<Int64>, Int64?)])
    func contentRanges(text: String, range: Range<Int64>, total: Int64?) throws {
        let parsed = try #require(ByteRanges.contentRange(text))
        #expect(parsed.range == range && parsed.total == total)
    }

    @Test(arguments: [
        "", "bytes", "bytes */100", "bytes 9-1/100", "bytes 0-100/100", "bytes -1/100", "items 0-1/2", "bytes 0-1",
        "bytes 0-9223372036854775807/*", "bytes 99999999999999999999-1/2", "bytes 0-1/2/3", "bytes 0x1-2/3",
    ])
    func refusesContentRanges(_ text: String) { #expect(ByteRanges.contentRange(text) == nil) }

    @Test(
        arguments: [("0-99", 100), ("bytes=0-9", 10), ("0-0", 0), ("1-9", nil), ("", nil), ("99", nil)]
            as [(String, Int64?)])
    func uploadRanges(text: String, received: Int64?) { #expect(ByteRanges.received(text) == received) }

    @Test(
        arguments: [
            ("</v2/a/tags/list?last=x&n=2>; rel=\"next\"", "/v2/a/tags/list?last=x&n=2"), ("<a>; rel=next", "a"),
            ("<p>; rel=\"prev\", <n>; rel=\"next\"", "n"), ("<x>; rel=prev", nil), ("nonsense", nil), ("", nil),
            ("<x", nil),
        ] as [(String, String?)])
    func links(text: String, next: String?) { #expect(LinkHeader.next(text) == next) }

    @Test(
        arguments: [
            ("0", 0), ("120", 120), ("Sun, 06 Nov 1994 08:49:37 GMT", 7), ("Sun, 06 Nov 1994 08:49:29 GMT", 0),
            ("-1", nil), ("soon", nil), ("Sun, 06 Nov 1994 08:49:37 CET", nil), ("1.5", nil), ("", nil),
        ] as [(String, Int64?)])
    func retryAfter(text: String, seconds: Int64?) {
        // 784111777 is the example of RFC 9110.
        #expect(RetryPolicy.parseRetryAfter(text, now: 784_111_770) == seconds.map { .seconds($0) })
    }

    @Test func delaysGrowAndEnd() {
        var policy = RetryPolicy()
        policy.jitter = 0
        let delays = (2...6).map { policy.delay(beforeAttempt: $0, retryAfter: nil, chance: 0) }
        #expect(delays == [.milliseconds(500), .seconds(1), .seconds(2), .seconds(4), nil])
        #expect(policy.delay(beforeAttempt: 2, retryAfter: .seconds(7), chance: 0) == .seconds(7))
        #expect(policy.delay(beforeAttempt: 2, retryAfter: .seconds(3600), chance: 0) == nil)
        policy.jitter = 0.25
        #expect(policy.delay(beforeAttempt: 2, retryAfter: nil, chance: 1) == .milliseconds(375))
        policy.attempts = 1000
        #expect(policy.delay(beforeAttempt: 999, retryAfter: nil, chance: 0) == .seconds(30))
    }

    @Test(arguments: [
        (#"{"errors":[{"code":"DENIED","message":"no"},{"code":"X"}]}"#, "DENIED: no; X"),
        (#"{"details":"bad"}"#, "bad"),
        ("<html>", ""), ("[]", ""), (#"{"errors":7}"#, ""),
    ])
    func errorBodies(body: String, text: String) { #expect(ErrorBody.text(Array(body.utf8)) == text) }
}
