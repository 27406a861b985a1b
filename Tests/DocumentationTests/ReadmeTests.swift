import Foundation
import TestSupport
import Testing

/// The commands that the documents show, run as they stand.
struct ReadmeTests {
    private static let readme = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../README.md").standardizedFileURL

    /// The commands of the `console` blocks, in order.
    static func commands() throws -> [String] {
        var isInside = false
        return try String(contentsOf: readme, encoding: .utf8).split(separator: "\n").compactMap { line in
            if line.hasPrefix("```") { isInside = line == "```console" }
            return isInside && line.hasPrefix("$ ") ? String(line.dropFirst(2)) : nil
        }
    }

    /// One test, since each command builds on those before, as a reader's do.
    @Test func everyCommandOfTheReadmeWorksAsItStands() throws {
        let commands = try Self.commands()
        #expect(commands.count > 10)
        let folder = try TemporaryDirectory()
        let environment = [
            "PATH": URL(fileURLWithPath: LayerFSProgram.path).deletingLastPathComponent().path
                + ":/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": folder.path, "LC_ALL": "C",
        ].merging(LayerFSProgram.sanitizerOptions) { $1 }
        for command in commands {
            let outcome = try Tool.run("sh", ["-c", "cd '\(folder.path)' && \(command)"], environment: environment)
            #expect(outcome.status == 0, "\(command)\n\(outcome.errors)")
        }
    }

    @Test func everyVerbIsInTheReadme() throws {
        let text = try String(contentsOf: Self.readme, encoding: .utf8)
        let help = try LayerFSProgram(store: "/nonexistent").succeed("--help").lines
        let verbs = help.drop { $0 != "SUBCOMMANDS:" }.dropFirst()
            .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") && !$0.contains("See '") }
            .compactMap { $0.split(separator: " ").first?.split(separator: ",").first }
        #expect(verbs.count >= 10)
        for verb in verbs { #expect(text.contains("`layerfs \(verb)") || text.contains("`\(verb)"), "\(verb)") }
    }
}
