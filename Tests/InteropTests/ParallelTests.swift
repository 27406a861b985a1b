import TestSupport
import Testing

extension InteropTests {
    /// Several commands at once, as processes of their own.
    struct ParallelTests {
        @Test("several first commands on a new store all succeed") func firstCommands() async throws {
            let folder = try TemporaryDirectory()
            let programs = ["bash", "ls", "cat", "grep", "sed", "find"]
            for round in 0..<3 {
                let program = LayerFSProgram(store: "\(folder.path)/deep/\(round)/store")
                let outcomes = try await withThrowingTaskGroup(of: Tool.Outcome.self) { group in
                    for name in programs { group.addTask { try program.run("add", name) } }
                    return try await group.reduce(into: [Tool.Outcome]()) { $0.append($1) }
                }
                #expect(outcomes.map(\.status) == programs.map { _ in 0 }, "\(outcomes.map(\.errors))")
                #expect(try Set(program.succeed("ls", "--quiet").lines) == Set(programs))
            }
        }

        @Test("names that are not UTF-8 are taken as they are") func rawNames() throws {
            let store = try SharedStore.get()
            let folder = try TemporaryDirectory()
            // printf in a shell: Foundation's Process passes text only.
            let outcome = try Tool.run(
                "sh",
                [
                    "-c", "cd \"$1\" && \"$2\" materialize shell \"$(printf 'd\\377')\" && ls -b", "sh", folder.path,
                    LayerFSProgram.path,
                ],
                environment: ["LAYERFS_STORE": store.program.store, "PATH": "/usr/bin:/bin", "LC_ALL": "C"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.lines == ["d\\377"])
        }
    }
}
