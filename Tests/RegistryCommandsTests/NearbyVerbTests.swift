import ArgumentParser
import LayerFSKit
import Registry
import Testing

@testable import LayerFSCommands
@testable import RegistryCommands

/// What `layerfs` asks a registry on this machine by itself is what `layerfs-registry` would have been asked for.
struct NearbyVerbTests {
    private static let plain = "--tls-verify=false"

    @Test(arguments: [
        ["shell", "docker://localhost:5000/a:1", plain],
        ["a+b", "docker://127.0.0.1:5000/a", "--tls-verify", "false", "--layers", "full", "-q"],
        [
            "a", "docker://[::1]:5000/a/b:2", "--compression=zstd", "--compression-level", "7", "--store=s", "--json",
            plain,
        ],
    ])
    func pushes(_ words: [String]) throws {
        let nearby = try NearbyPush(plain: words)
        let push = try #require(try RegistryCommand.parseAsRoot(["push"] + words) as? RegistryCommands.PushCommand)
        #expect(nearby.source == push.operands[0] && "\(nearby.target.place)" == push.operands[1])
        expectSame(nearby.exportOptions, push.exportOptions)
        expectSame(nearby.storeOptions, push.storeOptions)
        expectSame(nearby.outputOptions, push.outputOptions)
        #expect(nearby.jsonOption.json == push.jsonOption.json)
    }

    @Test(arguments: [
        ["docker://localhost:5000/a:1", plain],
        ["docker://localhost:5000/team/a:1", "--tag", "b", "--replace", "--tls-verify", "false", "--store", "s"],
        ["docker://127.0.0.2/a", "-t", "b:2", "--platform", "linux/arm64", "-q", "--json", plain, "--wait", "3"],
    ])
    func pulls(_ words: [String]) throws {
        let nearby = try NearbyPull(plain: words)
        let pull = try #require(try RegistryCommand.parseAsRoot(["pull"] + words) as? RegistryCommands.PullCommand)
        let work = try pull.work(pull.source())
        #expect(nearby.source.place == work.pull.place)
        #expect(try nearby.name == work.name)
        #expect("\(work.pull.choice)" == "\(PullImage.Choice.platform(nearby.platform))")
        expectSame(nearby.storeOptions, pull.storeOptions)
        expectSame(nearby.outputOptions, pull.outputOptions)
        #expect(nearby.jsonOption.json == pull.jsonOption.json)
    }

    private func expectSame<Options>(_ one: Options, _ other: Options) {
        #expect(String(reflecting: one) == String(reflecting: other))
    }

    /// Whatever is elsewhere, verified, in detail or not plain is left to `layerfs-registry`.
    @Test(arguments: [
        ["a", "docker://localhost:5000/a"], ["a", "docker://localhost:5000/a", "--tls-verify", "true"],
        ["a", "docker://registry.example/a", plain], ["a", "docker://10.0.0.1:5000/a", plain],
        ["a", "docker://localhost:5000/a", plain, "-v"], ["a", "docker://localhost:5000/a", plain, "--debug"],
        ["a", "docker://localhost:5000/a", plain, "--ca", "c"],
        ["a", "docker://localhost:5000/a", plain, "--jobs", "0"],
        ["a", "docker://localhost:5000/a", plain, "--estargz"], ["a", "docker://localhost:5000/A", plain],
        ["oci:d", "docker://localhost:5000/a", plain], ["docker://localhost:5000/a", plain], [plain], [],
        ["a", "docker://localhost:5000/a", plain, "--help"],
        ["a", "docker://localhost:5000/a", plain, "--attach", "f"],
    ])
    func otherPushes(_ words: [String]) { #expect(throws: (any Error).self) { try NearbyPush(plain: words) } }

    @Test(arguments: [
        ["docker://localhost:5000/a"], ["docker://registry.example/a", plain],
        ["docker://localhost:5000/a", plain, "-v"],
        ["docker://localhost:5000/a", plain, "--oci", "d"], ["docker://localhost:5000/a", plain, "--all-platforms"],
        ["docker://localhost:5000/a", plain, "--authfile", "f"],
        ["docker://localhost:5000/a", plain, "--platform", "x"],
        ["docker://localhost:5000/a", plain, "-t", "a b"], ["docker://localhost:5000/a", "b", plain], [plain], [],
    ])
    func otherPulls(_ words: [String]) { #expect(throws: (any Error).self) { try NearbyPull(plain: words) } }
}
