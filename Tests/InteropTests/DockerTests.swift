import TestSupport
import Testing

extension InteropTests {
    /// Roots and images in a real Docker; one daemon serves all of these tests.
    @Suite(.needs("docker", "dockerd", "containerd", "runc", root: true), .docker) struct DockerTests {
        let store: SharedStore
        let docker: DockerDaemon
        let folder: TemporaryDirectory

        init() throws {
            store = try SharedStore.get()
            docker = try #require(DockerTrait.daemon)
            folder = try TemporaryDirectory()
        }

        /// Docker adds mount points of its own to the names in the root.
        static let names = ["bin", "lib", "lib64", "usr"]

        @Test("docker import takes the flat tar from standard output, and its root runs") func importing() throws {
            let tar = try store.program.succeed("export", "shell", "--tar", "-").output
            try docker.succeed(["import", "-", "imported:1"], input: tar)
            let listed = try docker.succeed(["run", "--rm", "--network", "none", "imported:1", "bash", "-c", "ls /"])
            #expect(Set(listed.lines).isSuperset(of: Self.names))
        }

        @Test(
            "docker load takes both archives with every form of layers, and their root runs",
            arguments: ["--docker", "--oci-archive"], ["diff", "full", "flat"])
        func loading(option: String, form: String) throws {
            let (file, name) = (folder.path + "/archive", "loaded\(option)-\(form):1")
            try store.program.succeed("export", "shell", option, file, "--layers", form, "--name", name)
            let loaded = try docker.succeed(["load", "--input", file])
            #expect(loaded.text.contains("Loaded image: \(name)"))
            let listed = try docker.succeed(["run", "--rm", "--network", "none", name, "bash", "-c", "ls /"])
            #expect(Set(listed.lines).isSuperset(of: Self.names))
        }

        @Test("an archive on standard output loads") func standardOutput() throws {
            let archive = try store.program.succeed("export", "shell", "--docker", "-", "--name", "piped:1").output
            #expect(try docker.succeed(["load"], input: archive).text.contains("Loaded image: piped:1"))
        }

        @Test("what layerfs pushed is pulled, with its diffIDs, and runs", .needs("docker-registry"))
        func pulling() async throws {
            try await RegistryServer.whileRunning(.plain) { registry in
                let name = "\(registry.host)/team/shell:1"
                try store.program.succeed("push", "shell", "docker://\(name)", "--tls-verify=false")
                try docker.succeed(["pull", "--quiet", name])
                let inspected = try docker.succeed(["inspect", "--format", "{{join .RootFS.Layers \" \"}}", name]).lines
                let exported = try store.program.succeed("export", "shell", "--oci", folder.path + "/layout", "--json")
                    .text
                for diffID in try #require(inspected.first).split(separator: " ") { #expect(exported.contains(diffID)) }
                let listed = try docker.succeed(["run", "--rm", "--network", "none", name, "bash", "-c", "ls /"])
                #expect(Set(listed.lines).isSuperset(of: Self.names))
                // What Docker pushes, layerfs pulls.
                let back = "\(registry.host)/back:1"
                try docker.succeed(["tag", name, back])
                try docker.succeed(["push", "--quiet", back])
                let pulled = folder.path + "/pulled"
                try store.program.succeed("pull", "docker://\(back)", "--oci", pulled, "--tls-verify=false")
                let again = "docker://\(registry.host)/again:1"
                try store.program.succeed("push", "oci:\(pulled):1", again, "--tls-verify=false")
                let config = try Tool.succeed("skopeo", ["inspect", "--config", "--tls-verify=false", again]).text
                for diffID in inspected[0].split(separator: " ") { #expect(config.contains(diffID)) }
            }
        }

        @Test("the first program is the default command, with the usual PATH") func defaults() throws {
            let file = folder.path + "/archive"
            try store.program.succeed("export", "shell", "--docker", file, "--name", "defaults:1")
            try docker.succeed(["load", "--input", file])
            let outcome = try docker.succeed(
                ["run", "--rm", "--interactive", "--network", "none", "defaults:1"],
                input: Array("ls /; echo $PATH".utf8))
            #expect(Set(outcome.lines).isSuperset(of: Self.names))
            #expect(outcome.lines.last == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        }

        @Test("command, variables, working directory and labels are what compose was given") func configuration() throws
        {
            let file = folder.path + "/archive"
            try store.program.succeed("export", "everything", "--docker", file, "--name", "configured:1")
            try docker.succeed(["load", "--input", file])
            #expect(
                try docker.succeed(["run", "--rm", "--network", "none", "configured:1"]).lines == [
                    "hello there in /usr"
                ])
            let label = try docker.succeed(["inspect", "--format", "{{.Config.Labels.of}}", "configured:1"])
            #expect(label.lines == ["tests"])
        }
    }
}

/// Runs one daemon for all tests of a suite.
struct DockerTrait: SuiteTrait, TestScoping {
    @TaskLocal static var daemon: DockerDaemon?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await DockerDaemon.whileRunning { daemon in
            try await Self.$daemon.withValue(daemon) { try await function() }
        }
    }
}

extension Trait where Self == DockerTrait {
    static var docker: Self { DockerTrait() }
}
