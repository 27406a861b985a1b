import ArgumentParser
import Testing

@testable import LayerFSCommands

/// What is read without the parser is what the parser would have made of it.
struct PlainParsingTests {
    /// Of each verb: a line, and whether it is plain.
    static let lines: [(words: [String], isPlain: Bool)] = [
        (["add", "bash"], true), (["add", "bash", "ls", "--quiet"], true), (["add", "-q", "bash", "-v"], true),
        (["add", "--name", "base", "--dir", "/a:/", "--allow", "/", "--allow", "/etc"], true),
        (
            ["add", "--name=base", "--dir=/a:/b", "--file", "x", "--package", "p", "--preset=tz", "--with", "nss,tz"],
            false
        ),
        (["add", "bash", "--name=base", "--file", "x", "--package", "p", "--preset=tz", "--with", "nss,tz"], true),
        (["add", "bash", "--store", "a", "--store=b", "--wait", "7", "--progress", "plain", "--json"], true),
        (["add", "bash", "--replace", "--dry-run", "--root", "/r"], true), (["add", "a=b", "é", "\u{10FE41}"], true),
        (["add"], false), (["add", ""], false), (["add", "--help"], false), (["add", "bash", "-h"], false),
        (["add", "bash", "--version"], false), (["add", "bash", "-qv"], false), (["add", "--", "bash"], false),
        (["add", "-"], false), (["add", "bash", "---"], false), (["add", "bash", "--quiet", "-q"], false),
        (["add", "bash", "-q", "-q"], false), (["add", "bash", "--name"], false),
        (["add", "bash", "--name", "-x"], false), (["add", "bash", "--name=-x"], false),
        (["add", "bash", "--name="], false), (["add", "bash", "--name", "a b"], false),
        (["add", "bash", "--name", "a", "--name", "b"], false), (["add", "bash", "--wait", "-1"], false),
        (["add", "bash", "--wait", "1.5"], false), (["add", "bash", "--progress", "loud"], false),
        (["add", "bash", "--quiet=true"], false), (["add", "bash", "--chown", "0:0"], false),
        (["add", "bash", "--chown", "0:0", "--file", "x"], false), (["add", "bash", "--hwcaps", "host"], false),
        (["add", "--file", "x"], true), (["add", "--with", "tz"], false), (["add", "bash", "--no-such"], false),
        (["resolve", "ls"], true), (["resolve", "--list", "ls", "cat"], true), (["resolve", "ls", "--json"], true),
        (["resolve", "ls", "--explain", "-v", "--root", "/r"], true), (["resolve"], false),
        (["resolve", "ls", "--list", "--json"], false), (["resolve", "ls", "--rules", "all"], false),
        (["materialize", "a+b", "d"], true), (["materialize", "a", "d", "--link", "reflink", "--exact"], true),
        (["materialize", "a", "d", "--devices", "--json", "--store", "s"], true), (["materialize", "a"], false),
        (["materialize", "a", "d", "e"], false), (["materialize", "a++", "d"], false),
        (["materialize", "a", "d", "--link", "soft"], false), (["checkout", "a", "d"], false),
        (["export", "a", "--oci", "d"], true), (["export", "a", "oci:d:r", "--name", "n", "--json"], true),
        (["export", "a", "--tar", "-", "-q"], false), (["export", "a", "--tar=-", "-q"], true),
        (["export", "a", "--oci", "d", "--compression", "zstd", "--compression-level", "9"], true),
        (["export", "a", "--docker", "f", "--layers", "flat"], true), (["export", "a"], false),
        (["export", "a", "--oci", "d", "--tar", "e"], false), (["export", "a", "--oci-archive=-", "--json"], false),
        (["export", "a", "--oci", "d", "--estargz"], false), (["export", "a", "--compression", "lzma"], false),
        (["export", "a", "--oci", "d", "--compression-level", "x"], false), (["ls"], false), ([], false), ([""], false),
        (["help", "add"], false), (["--version"], false), (["--quiet", "add", "bash"], false),
    ]

    private func parsed(_ words: [String]) -> String? {
        (try? LayerFSCommand.parseAsRoot(words)).map { String(reflecting: $0) }
    }

    @Test(arguments: lines) func whatIsPlainIsTheSame(_ words: [String], _ isPlain: Bool) {
        let plain = LayerFSCommand.parsePlainly(words).map { String(reflecting: $0) }
        #expect((plain != nil) == isPlain)
        if let plain {
            #expect(plain == parsed(words))
            // A property without a value would end the process when it is read.
            #expect(!plain.contains("*definition*"))
        }
    }

    /// Lines of these words, good and bad ones.
    static let made: [[String]] = {
        let words = [
            "bash", "a+b", "-q", "--quiet", "--verbose", "--json", "--name", "--name=x", "--store", "--wait=3",
            "--link", "copy", "--",
            "--replace", "--oci", "d", "oci:d:r", "--tar=x", "--compression=gzip", "--list", "--exact", "-", "--root",
            "é",
        ]
        var state: UInt64 = 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        return ["add", "resolve", "materialize", "export"].flatMap { verb in
            (0..<40).map { _ in [verb] + (0...random(4)).map { _ in words[random(words.count)] } }
        }
    }()

    /// Those that other tests parse, the wrong ones too, and others.
    @Test(arguments: VerbParsingTests.wrong + made)
    func whatIsNotTheSameIsNotPlain(_ words: [String]) {
        guard let plain = LayerFSCommand.parsePlainly(words) else { return }
        #expect(String(reflecting: plain) == parsed(words))
    }
}
