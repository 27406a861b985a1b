import TestSupport
import Testing

extension InteropTests {
    /// Images that a real Docker built.
    @Suite(.needs("docker", "dockerd", "containerd", "runc", root: true), .docker) struct DockerImportTests {
        @Test("an image that Docker built of several layers comes back with its layers, configuration and tree")
        func saved() throws {
            let docker = try #require(DockerTrait.daemon)
            let folder = try TemporaryDirectory()
            let program = LayerFSProgram(store: folder.path + "/store")
            try program.succeed("add", "bash", "ls", "rm", "mkdir", "ln")
            let base = try program.succeed("export", "bash+ls+rm+mkdir+ln", "--tar", "-").output
            try docker.succeed(["import", "-", "base:1"], input: base)
            let recipe = """
                FROM base:1
                SHELL ["/usr/bin/bash", "-c"]
                ENV BY=docker
                RUN mkdir -p /data/sub /keep; echo a >/data/a; echo b >/data/sub/b; ln /data/a /data/hard
                COPY file /copied/file
                RUN rm /data/a; rm -r /data/sub; mkdir /data/sub; echo n >/data/sub/n; echo c >/keep/c
                WORKDIR /data
                CMD ["bash"]

                """
            try folder.write("Dockerfile", Array(recipe.utf8))
            try folder.write("file", Array("content".utf8))
            let context = try Tool.succeed("tar", ["-C", folder.path, "-c", "Dockerfile", "file"]).output
            try docker.succeed(["build", "--quiet", "--network", "none", "--tag", "upper", "-"], input: context)
            let archive = folder.path + "/saved.tar"
            try docker.succeed(["save", "--output", archive, "upper"])
            try program.succeed("import", "docker-archive:" + archive, "-t", "saved")
            try program.succeed("export", "saved", "--docker", folder.path + "/again.tar", "--name", "again:1")
            try docker.succeed(["load", "--input", folder.path + "/again.tar"])
            func inspect(_ name: String, _ format: String) throws -> [String] {
                try docker.succeed(["inspect", "--format", format, name]).lines
            }
            // The same image to Docker: its ID is the digest of its configuration.
            #expect(try inspect("again:1", "{{.Id}}") == inspect("upper", "{{.Id}}"))
            #expect(try inspect("again:1", "{{.RootFS.Layers}}") == inspect("upper", "{{.RootFS.Layers}}"))
            let container = try docker.succeed(["create", "upper", "bash"]).lines[0]
            try docker.succeed(["export", "--output", folder.path + "/flat.tar", container])
            let (root, made) = (folder.path + "/root", folder.path + "/made")
            try Tool.succeed("mkdir", [root])
            try Tool.succeed("tar", ["-C", root, "--numeric-owner", "-xpf", folder.path + "/flat.tar"])
            // Docker's own mount points in a container.
            for name in [".dockerenv", "dev", "etc", "proc", "sys"] {
                try Tool.succeed("rm", ["-rf", root + "/" + name])
            }
            try program.succeed("materialize", "saved", made, "--exact")
            for name in [".dockerenv", "dev", "etc", "proc", "sys"] {
                try Tool.succeed("rm", ["-rf", made + "/" + name])
            }
            expect(try TreeListing(made), equals: try TreeListing(root))
        }
    }
}
