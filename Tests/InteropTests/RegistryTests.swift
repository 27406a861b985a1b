import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Push and pull with a real registry, and what skopeo, buildah, podman and Docker make of it.
    @Suite(.needs("docker-registry", "skopeo", "openssl", "htpasswd")) struct RegistryTests {
        let store: SharedStore
        let folder: TemporaryDirectory
        let program: LayerFSProgram

        init() throws {
            store = try SharedStore.get()
            folder = try TemporaryDirectory()
            var program = store.program
            // Nobody's own credentials.
            program.environment["REGISTRY_AUTH_FILE"] = folder.path + "/auth.json"
            self.program = program
        }

        static let insecure = "--tls-verify=false"

        private func digest(_ host: String, _ image: String, _ options: [String] = []) throws -> String {
            let raw = try Tool.succeed(
                "skopeo", ["inspect", "--raw", Self.insecure] + options + ["docker://\(host)/\(image)"]
            ).output
            return "sha256:" + (try Tool.succeed("sha256sum", [], input: raw).text.prefix(64))
        }

        @Test("what was pushed is what export writes, and skopeo reads it, every blob") func pushing() async throws {
            let exported = folder.path + "/exported"
            let report = try exportReport("everything", exported)
            try await RegistryServer.whileRunning(.plain) { registry in
                let place = "docker://\(registry.host)/team/everything:1.0"
                let pushed = try transfer(["push", "everything", place, Self.insecure])
                #expect(pushed.manifest.digest == report.manifest.digest)
                #expect(try digest(registry.host, "team/everything:1.0") == report.manifest.digest)
                #expect(pushed.blobs == ["uploaded": report.layers.count + 1])
                // skopeo checks each digest.
                let copied = folder.path + "/copied"
                try Tool.succeed("skopeo", ["copy", "--quiet", "--src-tls-verify=false", place, "oci:\(copied):x"])
                #expect(try blobs(copied) == blobs(exported))
                // Again nothing is sent; under another name it is linked.
                #expect(
                    try transfer(["push", "everything", place, Self.insecure]).blobs == [
                        "present": pushed.blobs["uploaded"]!
                    ])
                let other = "docker://\(registry.host)/other/name:2"
                let linked = try transfer([
                    "push", "everything", other, Self.insecure, "--mount-from", "team/everything",
                ])
                #expect(linked.blobs == ["mounted": pushed.blobs["uploaded"]!] && linked.transferred == 0)
                #expect(
                    try program.succeed("ls-remote", "docker://\(registry.host)/team/everything", Self.insecure).lines
                        == ["1.0"])
            }
        }

        @Test("a blob in many chunks arrives as one") func chunks() async throws {
            try await RegistryServer.whileRunning(.plain) { registry in
                let place = "docker://\(registry.host)/chunked:1"
                let pushed = try transfer(["push", "shell", place, Self.insecure, "--chunk-size", "100000", "--debug"])
                try Tool.succeed(
                    "skopeo", ["copy", "--quiet", "--src-tls-verify=false", place, "dir:\(folder.path)/dir"])
                #expect(try digest(registry.host, "chunked:1") == pushed.manifest.digest)
            }
        }

        @Test("what others pushed is pulled with the same digests", arguments: ["oci", "v2s2"])
        func pulling(format: String) async throws {
            let exported = folder.path + "/exported"
            _ = try exportReport("everything", exported)
            try await RegistryServer.whileRunning(.plain) { registry in
                let place = "docker://\(registry.host)/theirs:1"
                try Tool.succeed(
                    "skopeo",
                    [
                        "copy", "--quiet", "--format", format, "--dest-tls-verify=false", "oci:\(exported):everything",
                        place,
                    ])
                let pulled = folder.path + "/pulled"
                let report = try transfer(["pull", place, "--oci", pulled, Self.insecure])
                #expect(try report.manifest.digest == digest(registry.host, "theirs:1"))
                // skopeo reads layouts with OCI's types only.
                if format == "oci" {
                    let copied = folder.path + "/copied"
                    try Tool.succeed("skopeo", ["copy", "--quiet", "oci:\(pulled):1", "oci:\(copied):1"])
                    #expect(try blobs(copied) == blobs(pulled))
                }
                // And back again, unchanged.
                let again = "docker://\(registry.host)/again:1"
                #expect(
                    try transfer(["push", "oci:\(pulled):1", again, Self.insecure]).manifest.digest
                        == report.manifest.digest)
                #expect(try digest(registry.host, "again:1") == report.manifest.digest)
            }
        }

        @Test(
            "an index that buildah made comes whole, goes whole, or gives the image of one platform",
            .needs("buildah", root: true))
        func indexes() async throws {
            let exported = folder.path + "/exported"
            let amd = try exportReport("shell", exported)
            try await RegistryServer.whileRunning(.plain) { registry in
                let storage = [
                    "--root", folder.path + "/storage", "--runroot", folder.path + "/run", "--storage-driver", "vfs",
                ]
                defer { MountedFileSystem.unmountAll(below: folder.path) }
                let place = "docker://\(registry.host)/multi:1"
                try Tool.succeed("buildah", storage + ["manifest", "create", "m"])
                try Tool.succeed("buildah", storage + ["manifest", "add", "m", "oci:\(exported):shell"])
                try Tool.succeed(
                    "buildah", storage + ["manifest", "add", "--arch", "s390x", "m", "oci:\(exported):shell"])
                try Tool.succeed("buildah", storage + ["manifest", "push", "--all", Self.insecure, "m", place])
                let all = try transfer(["pull", place, "--all-platforms", "--oci", folder.path + "/all", Self.insecure])
                #expect(try all.manifest.digest == digest(registry.host, "multi:1"))
                let back = "docker://\(registry.host)/back:1"
                _ = try transfer(["push", "oci:\(folder.path)/all:1", back, Self.insecure])
                #expect(try digest(registry.host, "back:1") == all.manifest.digest)
                let one = try transfer(
                    ["pull", place, "--platform", "linux/s390x", "--oci", folder.path + "/one", Self.insecure])
                #expect(one.manifest.digest == amd.manifest.digest)
                let none = try program.run(
                    "pull", place, "--platform", "linux/mips", "--oci", folder.path + "/none", Self.insecure)
                #expect(none.status == 2 && none.errors.contains("linux/s390x"))
            }
        }

        @Test("what is pulled into a store is pushed again as it was, and overwrites no name") func storing()
            async throws
        {
            var other = program
            other.store = folder.path + "/other"
            try await RegistryServer.whileRunning(.plain) { registry in
                let place = "docker://\(registry.host)/team/everything:1"
                let pushed = try transfer(["push", "everything", place, Self.insecure])
                try other.succeed("pull", place, "-t", "mine", Self.insecure)
                let again = "docker://\(registry.host)/again:1"
                try other.succeed("push", "mine", again, Self.insecure)
                #expect(try digest(registry.host, "again:1") == pushed.manifest.digest)
                try other.succeed("pull", place, Self.insecure)
                #expect(try other.succeed("ls", "--quiet").lines.contains("team/everything:1"))
                // Another image under a name that is taken.
                _ = try transfer(["push", "shell", place, Self.insecure])
                let taken = try other.run("pull", place, "-t", "mine", Self.insecure)
                #expect(taken.status == 4, "\(taken.errors)")
                #expect(try other.run("pull", place, "-t", "mine", "--replace", Self.insecure).status == 0)
                let listed = try other.succeed("show", "mine").text
                #expect(!listed.contains("odd"))
            }
        }

        @Test("credentials are checked, kept for others too, and forgotten") func credentials() async throws {
            try await RegistryServer.whileRunning(.password) { registry in
                let place = "docker://\(registry.host)/private:1"
                let auth = folder.path + "/auth.json"
                let without = try program.run("push", "shell", place, Self.insecure)
                #expect(without.status == 1 && without.errors.contains("layerfs login \(registry.host)"))
                let login = ["login", registry.host, "--username", "me", "--password-stdin", Self.insecure]
                #expect(try program.run(login, input: Array("wrong\n".utf8)).status == 1)
                #expect(!FileManager.default.fileExists(atPath: auth))
                let logged = try program.run(login + ["--debug"], input: Array((RegistryServer.password + "\n").utf8))
                #expect(logged.status == 0, "\(logged.errors)")
                let pushed = try program.run("push", "shell", place, Self.insecure, "--debug", "--verbose")
                #expect(pushed.status == 0, "\(pushed.errors)")
                for outcome in [logged, pushed] {
                    #expect(!outcome.errors.contains(RegistryServer.password) && !outcome.errors.contains("bWU6"))
                }
                _ = try digest(registry.host, "private:1", ["--authfile", auth])
                #expect(try program.run("logout", registry.host).status == 0)
                #expect(try program.run("ls-remote", place, Self.insecure).status == 1)
                // What skopeo keeps is good for layerfs.
                try Tool.succeed(
                    "skopeo",
                    [
                        "login", "--authfile", auth, "--username", "me", "--password-stdin", Self.insecure,
                        registry.host,
                    ],
                    input: Array(RegistryServer.password.utf8))
                #expect(try program.run("pull", place, "--oci", folder.path + "/pulled", Self.insecure).status == 0)
            }
        }

        @Test("a private authority has to be named") func privateAuthority() async throws {
            try await RegistryServer.whileRunning(.tls) { registry in
                let place = "docker://\(registry.host)/secure:1"
                let refused = try program.run("push", "shell", place)
                #expect(refused.status == 1 && refused.errors.contains("--ca"))
                for (index, options) in [
                    ["--ca", registry.certificates.authority],
                    ["--cert-dir", registry.certificates.authorityDirectory], [Self.insecure],
                ].enumerated() {
                    #expect(try program.run(["push", "shell", place] + options).status == 0)
                    let pulled = ["pull", place, "--oci", folder.path + "/pulled\(index)"] + options
                    #expect(try program.run(pulled).status == 0)
                }
                // A name that the certificate does not have, though it leads to an address that it has.
                let other = place.replacingOccurrences(of: "127.0.0.1", with: "localhost")
                let misnamed = try program.run("ls-remote", other, "--ca", registry.certificates.authority)
                #expect(misnamed.status == 1 && misnamed.errors.contains("not trusted"))
            }
        }

        @Test("what is attached is found by the image it is about") func attaching() async throws {
            try folder.write("sbom.json", Array(#"{"spdxVersion":"SPDX-2.3"}"#.utf8))
            try await RegistryServer.whileRunning(.plain) { registry in
                let place = "docker://\(registry.host)/attached:1"
                let type = "application/spdx+json"
                let pushed = try transfer([
                    "push", "shell", place, Self.insecure, "--attach", folder.path + "/sbom.json", "--artifact-type",
                    type,
                ])
                let artifact = try #require(pushed.attached.first)
                let listed = try program.succeed("ls-remote", place, Self.insecure).lines
                #expect(listed.contains("referrer\t\(artifact.digest)\t\(artifact.size)\t\(type)"))
                // This registry has no list of referrers, so the tag that stands in for it does.
                let tag = pushed.manifest.digest.replacingOccurrences(of: ":", with: "-")
                let index = try Tool.succeed(
                    "skopeo", ["inspect", "--raw", Self.insecure, "docker://\(registry.host)/attached:\(tag)"])
                #expect(index.text.contains(artifact.digest) && index.text.contains(type))
                let copied = "dir:\(folder.path)/artifact"
                try Tool.succeed(
                    "skopeo",
                    [
                        "copy", "--quiet", "--src-tls-verify=false",
                        "docker://\(registry.host)/attached@\(artifact.digest)", copied,
                    ])
                // Without an image to push, to one that is there.
                try program.succeed(
                    "push", place, Self.insecure, "--attach", folder.path + "/sbom.json", "--artifact-type",
                    "text/plain")
                #expect(
                    try program.succeed("ls-remote", place, Self.insecure).lines.filter { $0.hasPrefix("referrer") }
                        .count == 2)
            }
        }

        @Test("errors say what is wrong, with the documented codes") func errors() async throws {
            try await RegistryServer.whileRunning(.plain) { registry in
                let base = "docker://\(registry.host)/"
                #expect(
                    try program.run("pull", base + "absent:1", "--oci", folder.path + "/x", Self.insecure).status == 2)
                #expect(try program.run("ls-remote", base + "absent", Self.insecure).status == 2)
                #expect(try program.run("push", "nosuch", base + "x:1", Self.insecure).status == 2)
                #expect(try program.run("push", "shell", "nowhere:1", Self.insecure).status == 64)
                let clear = try program.run("push", "shell", base + "x:1")
                #expect(clear.status == 1 && clear.errors.contains("does not speak TLS"))
            }
            let nobody = try program.run("ls-remote", "docker://127.0.0.1:1/x")
            #expect(nobody.status == 1 && nobody.errors.contains("Connection refused"))
        }

        @Test("without layerfs-registry beside it, layerfs says what is missing") func alone() throws {
            let alone = folder.path + "/layerfs"
            try FileManager.default.copyItem(atPath: LayerFSProgram.path, toPath: alone)
            let outcome = try Tool.run(alone, ["push", "a", "docker://h.x/a:1"])
            #expect(outcome.status == 2 && outcome.errors.contains("make registry"))
            // Whatever lies on PATH under that name is not it.
            try FileManager.default.createDirectory(
                atPath: folder.path + "/canary", withIntermediateDirectories: false)
            try folder.write("canary/layerfs-registry", Array("#!/bin/sh\necho canary\n".utf8))
            try Tool.succeed("chmod", ["755", folder.path + "/canary/layerfs-registry"])
            let path = folder.path + "/canary:/usr/bin:/bin"
            let onPath = try Tool.run(alone, ["push"], environment: ["PATH": path])
            #expect(onPath.status == 2 && !onPath.text.contains("canary"))
        }

        // MARK: Reports

        private struct Report: Decodable {
            struct Document: Decodable {
                var digest: String
                var size: Int64
            }
            var manifest: Document
            var layers: [Document]
            var diffIDs: [String]
        }

        private struct Transfer: Decodable {
            var manifest: Report.Document
            var blobs: [String: Int]
            var transferred: Int64
            var attached: [Report.Document]
        }

        private func exportReport(_ root: String, _ layout: String) throws -> Report {
            let output = try program.succeed("export", root, "--oci", layout, "--name", root, "--json").output
            return try JSONDecoder().decode(Report.self, from: Data(output))
        }

        private func transfer(_ arguments: [String]) throws -> Transfer {
            try JSONDecoder().decode(Transfer.self, from: Data(try program.succeed(arguments + ["--json"]).output))
        }

        private func blobs(_ layout: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: layout + "/blobs/sha256").sorted()
        }
    }
}
