import ArgumentParser
import LayerFSCommands
import Testing

@testable import RegistryCommands

/// What is read without the parser is what the parser would have made of it.
struct PlainCommandTests {
    static let lines: [(words: [String], isPlain: Bool)] = [
        (["push", "shell", "docker://h.x/a:1"], true),
        (["push", "a+b", "docker://h.x/a", "--tls-verify=false", "-q"], true),
        (["push", "a", "docker://h.x/a", "--tls-verify", "true", "--store", "s", "--wait", "3", "--json"], true),
        (["push", "a", "docker://h.x/a", "--layers", "full", "--compression=zstd", "--compression-level", "3"], true),
        (["push", "a", "docker://h.x/a", "--ca", "c", "--ca=d", "--cert-dir", "e", "--authfile", "f", "-v"], true),
        (["push", "a", "docker://h.x/a", "--jobs", "8", "--attempts=1", "--progress", "none"], true),
        (["push"], false), (["push", "a"], false), (["push", "a", "b", "c"], false), (["push", "--help"], false),
        (["push", "a", "docker://h.x/a", "--jobs", "0"], false),
        (["push", "a", "docker://h.x/a", "--jobs", "x"], false),
        (["push", "a", "docker://h.x/a", "--tls-verify", "no"], false),
        (["push", "a", "docker://h.x/a", "--debug"], false),
        (["push", "a", "docker://h.x/a", "--mount-from", "b"], false),
        (["push", "docker://h.x/a", "--attach", "f"], false),
        (["push", "a", "docker://h.x/a", "--layers", "few"], false),
        (["push", "a", "docker://h.x/a", "--", "-q"], false),
        (["push", "a", "docker://h.x/a", "--max-layers", "3"], false), (["push", "a", "docker://h.x/a", "-qq"], false),
        (["pull", "docker://h.x/a"], true), (["pull", "docker://h.x/a:1", "-t", "b", "--replace", "--json"], true),
        (["pull", "docker://h.x/a", "--tag=b", "--platform", "linux/arm64", "--tls-verify=false"], true),
        (["pull", "docker://h.x/a", "--oci", "d", "-q", "--store=s"], true), (["pull"], false),
        (["pull", "docker://h.x/a", "b"], false), (["pull", "docker://h.x/a", "-t", "a b"], false),
        (["pull", "docker://h.x/a", "-t", "b", "--tag", "c"], false), (["pull", "docker://h.x/a", "-t=b"], false),
        (["pull", "docker://h.x/a", "--oci", "d", "-t", "b"], false),
        (["pull", "docker://h.x/a", "--all-platforms"], false), (["pull", "--version"], false),
        (["login", "h.x"], false), ([], false),
    ]

    @Test(arguments: lines) func whatIsPlainIsTheSame(_ words: [String], _ isPlain: Bool) {
        let plain = RegistryCommand.parsePlainly(words).map { String(reflecting: $0) }
        #expect((plain != nil) == isPlain)
        if let plain {
            #expect(plain == (try? RegistryCommand.parseAsRoot(words)).map { String(reflecting: $0) })
            // A property without a value would end the process when it is read.
            #expect(!plain.contains("*definition*"))
        }
    }
}
