import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Closures of all programs of the machine against what the real loader loads.
    @Suite(.needs("python3", "mount", root: true)) struct ClosureOracleTests {
        /// Beside the corpus: `../shared/tools`, or in what LAYERFS_SHARED names.
        static let script: String = {
            let shared =
                ProcessInfo.processInfo.environment["LAYERFS_SHARED"]
                ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../../shared").standardizedFileURL.path
            return shared + "/tools/closure_oracle.py"
        }()

        static let isPresent = isCI || FileManager.default.fileExists(atPath: script)

        @Test(
            "every program's closure is what the loader loads: by file, path, link, and alone in a chroot",
            .enabled(if: isPresent, "no closure_oracle.py"))
        func machine() throws {
            // On a file system of its own: hard links, which the oracle otherwise makes, would change the status of the
            // machine's libraries while other tests read them.
            let report = try MountedFileSystem.withMemory(options: "size=2g") { scratch in
                try Tool.run(
                    "python3",
                    [
                        Self.script, "--cmd", "\(LayerFSProgram.path) resolve --list", "--chroot",
                        scratch.path + "/root",
                        "/usr/bin",
                    ])
            }
            for level in ["real", "path", "link", "chroot"] {
                let lines = report.lines.map { $0.split(separator: " ") }.filter { $0.first == level[...] }
                let counts = lines.first?.dropFirst(2).first?.split(separator: "/") ?? []
                try #require(counts.count == 2, "\(report.text)\(report.errors)")
                #expect(counts[0] == counts[1], "\(level): \(report.text)")
                #expect(counts[1] != "0")
            }
            #expect(report.status == 0)
        }
    }
}
