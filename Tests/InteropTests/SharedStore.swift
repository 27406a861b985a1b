import Foundation
import TestSupport
import Testing

/// All tests that drive the built program; they share one store, which none of them changes.
@Suite(.sharedStore) enum InteropTests {}

/// A store with the layers `bash`, `ls` and `odd` and the images `shell` (`bash+ls`) and `everything` (`bash+ls+odd`).
struct SharedStore: Sendable {
    let folder: TemporaryDirectory
    let program: LayerFSProgram

    @TaskLocal static var current: SharedStore?

    /// The store of this run.
    static func get() throws -> SharedStore { try #require(current) }

    init() throws {
        folder = try TemporaryDirectory()
        program = LayerFSProgram(store: folder.path + "/store")
        try program.succeed("add", "bash", "ls")
        try program.succeed("add", Self.oddScript(in: folder.path))
        try program.succeed("compose", "bash+ls", "-t", "shell")
        try program.succeed(
            "compose", "bash+ls+odd", "-t", "everything", "--cmd", #"["bash", "-c", "echo $GREETING in $PWD"]"#,
            "--env", "GREETING=hello there",
            "--workdir", "/usr", "--label", "of=tests")
    }

    /// A script whose mode, owner, time and place are not what programs usually have.
    private static func oddScript(in folder: String) throws -> String {
        let place = folder + "/a place, ünusual"
        let path = place + "/odd"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
        try Data("#!/bin/bash\necho odd\n".utf8).write(to: URL(fileURLWithPath: path))
        if isRoot { try Tool.succeed("chown", ["1234:5678", path, place]) }
        try Tool.succeed("chmod", ["1750", place])
        try Tool.succeed("chmod", ["4751", path])
        try Tool.succeed("touch", ["--date", "2001-02-03 04:05:06.789 UTC", path])
        return path
    }
}

/// Makes ``SharedStore/current`` for all tests of a suite.
struct SharedStoreTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await SharedStore.$current.withValue(SharedStore()) { try await function() }
    }
}

extension Trait where Self == SharedStoreTrait {
    static var sharedStore: Self { SharedStoreTrait() }
}
