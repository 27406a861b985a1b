import Foundation
import TestSupport
import Testing

extension InteropTests {
    @Suite(.needs("setpriv", "tar", root: true)) struct ReproducibilityTests {
        let folder: TemporaryDirectory

        init() throws {
            folder = try TemporaryDirectory()
            try Tool.succeed("chmod", ["1777", folder.path])
        }

        /// The same program in another surrounding.
        static let surroundings: [(name: String, change: @Sendable (inout LayerFSProgram) -> Void)] = [
            ("another run", { _ in }),
            ("umask 0077", { $0.wrapper = ["sh", "-c", "umask 0077; exec \"$@\"", "sh"] }),
            ("umask 0", { $0.wrapper = ["sh", "-c", "umask 0; exec \"$@\"", "sh"] }),
            ("another time zone and locale", { $0.environment = ["TZ": "Pacific/Chatham", "LC_ALL": "tr_TR.UTF-8"] }),
            ("another home", { $0.environment = ["HOME": "/tmp", "XDG_DATA_HOME": "/tmp/x"] }),
            ("another user", { $0.wrapper = User.nobody.wrapper }),
        ]

        /// Adds, composes and exports, and lists the digests of all that came out.
        private func build(_ name: String, _ change: (inout LayerFSProgram) -> Void) throws -> [String: String] {
            let place = folder.path + "/" + name.replacingOccurrences(of: " ", with: "-")
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
            try Tool.succeed("chmod", ["1777", place])
            var program = LayerFSProgram(store: place + "/store")
            change(&program)
            try program.succeed("add", "bash", "ls", folder.path + "/script")
            try program.succeed(
                "compose", "bash+ls+script", "-t", "image", "--env", "B=2", "--env", "A=1", "--label", "c=d")
            let out = place + "/out"
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: false)
            try Tool.succeed("chmod", ["1777", out])
            for form in ["diff", "full", "flat"] {
                try program.succeed("export", "image", "--oci", out + "/" + form, "--layers", form)
                try program.succeed("export", "image", "--oci-archive", out + "/\(form).tar", "--layers", form)
            }
            try program.succeed("export", "image", "--oci", out + "/plain", "--compression", "none")
            let tar = try program.succeed("export", "image", "--tar", "-").output
            try Data(tar).write(to: URL(fileURLWithPath: out + "/flat-tar"))
            return try TreeListing(out).digests
        }

        @Test("the same programs give the same bytes: tar, index, manifest, config and layers") func surroundings()
            async throws
        {
            try folder.write("script", Array("#!/bin/bash\n".utf8))
            try Tool.succeed("chmod", ["755", folder.path + "/script"])
            let expected = try build("first", { _ in })
            #expect(expected.count > 20)
            // So that a time of making, had it got into anything, would be another one.
            try await Task.sleep(for: .milliseconds(1100))
            for (name, change) in Self.surroundings {
                let actual = try build(name, change)
                let differing = Set(actual.keys).union(expected.keys).filter { actual[$0] != expected[$0] }
                #expect(differing == [], "\(name)")
            }
        }

        @Test("SOURCE_DATE_EPOCH bounds every time, and raises none") func clamping() throws {
            let shared = try SharedStore.get()
            var program = shared.program
            program.environment["SOURCE_DATE_EPOCH"] = "1000000000"
            try program.succeed("export", "everything", "--tar", folder.path + "/tar")
            let list = ["--list", "--verbose", "--full-time", "--utc", "--file", folder.path + "/tar"]
            let times = try Tool.succeed("tar", list).lines.map { line in
                let fields = line.split(separator: " ", omittingEmptySubsequences: true)
                return (time: fields[3] + " " + fields[4], isOdd: line.hasSuffix("/odd"))
            }
            #expect(times.count > 20)
            #expect(times.allSatisfy { $0.time <= "2001-09-09 01:46:40" })
            #expect(times.contains { $0.time == "2001-09-09 01:46:40" })
            #expect(times.filter(\.isOdd).map(\.time) == ["2001-02-03 04:05:06"])

            let layout = folder.path + "/layout"
            try program.succeed("export", "everything", "--oci", layout, "--name", "image")
            let config = try #require(
                JSONSerialization.jsonObject(with: Data(configuration(of: layout))) as? [String: Any])
            #expect(config["created"] as? String == "2001-09-09T01:46:40Z")
        }

        /// The image's configuration, found as any reader finds it.
        private func configuration(of layout: String) throws -> [UInt8] {
            func document(_ path: String) throws -> [String: Any] {
                let data = try Data(contentsOf: URL(fileURLWithPath: layout + "/" + path))
                return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
            }
            func blob(_ descriptor: Any?) throws -> String {
                let digest = try #require((descriptor as? [String: Any])?["digest"] as? String)
                return "blobs/" + digest.replacingOccurrences(of: ":", with: "/")
            }
            let index = try document("index.json")
            let manifest = try document(blob((index["manifests"] as? [Any])?.first))
            return try Array(Data(contentsOf: URL(fileURLWithPath: layout + "/" + blob(manifest["config"]))))
        }
    }
}
