import Testing

@testable import LayerFSKit

struct ImageOptionTests {
    @Test(
        arguments: [
            ("ls /", ["ls", "/"]), (#"["sh","-c","a b"]"#, ["sh", "-c", "a b"]), ("", []), ("[]", []),
        ] as [(String, [String])])
    func commandsAreWordsOrJSON(_ text: String, _ words: [String]) throws {
        #expect(try ImageOptionValue.words(text, option: "--cmd") == words)
    }

    @Test(arguments: [("80", "80/tcp"), ("53/udp", "53/udp"), ("1/sctp", "1/sctp")])
    func portsHaveAProtocol(_ text: String, _ port: String) throws {
        #expect(try ImageOptionValue.port(text, option: "--expose") == port)
    }

    @Test(arguments: [("TERM", "SIGTERM"), ("sigint", "SIGINT"), ("9", "9"), ("SIGRTMIN+3", "SIGRTMIN+3")])
    func signalsHaveTheirFullName(_ text: String, _ name: String) throws {
        #expect(try ImageOptionValue.signal(text, option: "--stop-signal") == name)
    }

    @Test func valuesThatNoImageCanHoldAreRefused() {
        #expect(throws: LayerFSError.self) { try ImageOptionValue.words("[1]", option: "--cmd") }
        for text in ["", "x", "=1", "A\u{0}=1"] {
            #expect(throws: LayerFSError.self) { try ImageOptionValue.assignment(text, option: "--env") }
        }
        for text in ["0", "65536", "-1", "80/xyz", "80/tcp/x", "a"] {
            #expect(throws: LayerFSError.self) { try ImageOptionValue.port(text, option: "--expose") }
        }
        for text in ["", "bin", "./x"] {
            #expect(throws: LayerFSError.self) { try ImageOptionValue.absolutePath(text, option: "--workdir") }
        }
        for text in ["", ":", "a:b:c", "a b", "a:"] {
            #expect(throws: LayerFSError.self) { try ImageOptionValue.user(text, option: "--user") }
        }
        for text in ["", "0", "999", "TE RM", "-9"] {
            #expect(throws: LayerFSError.self) { try ImageOptionValue.signal(text, option: "--stop-signal") }
        }
        for text in ["", "linux", "linux/", "Linux/amd64", "a/b/c/d"] {
            #expect(throws: LayerFSError.self) { try ImageOptionValue.platform(text, option: "--platform") }
        }
    }
}
