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

        /// A folder of files to be compared.
        struct Folder: CustomTestStringConvertible, Sendable {
            let path: String
            /// Shared objects, too. The loader lists their libraries; it cannot start them, so they have no chroot.
            var takesLibraries = false

            var testDescription: String { path }

            /// Where the compiler that builds this is installed; its programs come from another place than the machine's.
            static let toolchain: Folder? = {
                guard let swift = Tool.path(of: "swift") else { return nil }
                let path = URL(fileURLWithPath: swift).resolvingSymlinksInPath().deletingLastPathComponent().path
                return path == "/usr/bin" ? nil : Folder(path: path)
            }()

            static let all =
                [
                    Folder(path: "/usr/bin"), Folder(path: "/usr/sbin"),
                    Folder(path: "/usr/lib/\(multiarch)", takesLibraries: true),
                ] + [toolchain].compactMap(\.self)

            #if arch(x86_64)
                private static let multiarch = "x86_64-linux-gnu"
            #elseif arch(arm64)
                private static let multiarch = "aarch64-linux-gnu"
            #endif
        }

        @Test(
            "every closure is what the loader loads: by file, path, link, and alone in a chroot",
            .enabled(if: isPresent, "no closure_oracle.py"), arguments: Folder.all)
        func machine(folder: Folder) throws {
            let command = ["--cmd", "\(LayerFSProgram.path) resolve --list"]
            let arguments = [Self.script] + command + (folder.takesLibraries ? ["--so"] : [])
            // On a file system of its own: hard links, which the oracle otherwise makes, would change the status of the
            // machine's libraries while other tests read them.
            let report = try MountedFileSystem.withMemory(options: "size=2g") { scratch in
                try Tool.run("python3", arguments + ["--chroot", scratch.path + "/root", folder.path])
            }
            for level in ["real", "path", "link", "chroot"] {
                let counts = try self.counts(level, in: report)
                // A folder of libraries may have no program to be started.
                #expect(counts.good == counts.all, "\(level): \(report.text)")
                #expect(counts.all > 0 || (folder.takesLibraries && level == "chroot"))
            }
            // Every program that lacks a library is said to.
            let missing = try #require(
                report.text.firstMatch(of: /signalled .*: ([0-9]+) of ([0-9]+) such files/), "\(report.text)")
            #expect(missing.1 == missing.2)
            #expect(report.status == 0)
        }

        /// The files that agree, and all, as a line of the report says.
        private func counts(_ level: String, in report: Tool.Outcome) throws -> (good: Int, all: Int) {
            let lines = report.lines.map { $0.split(separator: " ") }.filter { $0.first == level[...] }
            let counts = lines.first?.dropFirst(2).first?.split(separator: "/").compactMap { Int($0) } ?? []
            try #require(counts.count == 2, "\(report.text)\(report.errors)")
            return (counts[0], counts[1])
        }
    }
}
