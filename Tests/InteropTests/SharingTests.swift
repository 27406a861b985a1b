import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Six roots that share bash, and what they cost.
    @Suite struct SharingTests {
        let folder: TemporaryDirectory
        let program: LayerFSProgram

        init() throws {
            folder = try TemporaryDirectory()
            program = LayerFSProgram(store: folder.path + "/store")
        }

        @Test("the six roots' distinct contents are as many as their inodes, which are the store's blobs")
        func contents() throws {
            let programs = ["bash", "ls", "cat", "grep", "find", "sed"]
            try program.succeed(["add"] + programs)
            let expressions = programs.indices.map { programs[...$0].joined(separator: "+") }
            for (index, expression) in expressions.enumerated() {
                try program.succeed("compose", expression, "-t", "root\(index)")
                try program.succeed("materialize", "root\(index)", folder.path + "/\(index)")
            }
            var digests: Set<String> = []
            var inodes: [Substring: Int] = [:]
            for index in programs.indices {
                digests.formUnion(try TreeListing(folder.path + "/\(index)").digests.values)
                for file in try files(folder.path + "/\(index)") { inodes[file.inode] = file.size }
            }
            #expect(digests.count == inodes.count && digests.count > programs.count)
            let blobs = try files(program.store + "/blobs")
            #expect(Set(inodes.keys).isSubset(of: Set(blobs.map(\.inode))))
            #expect(try files(program.store + "/nodes").isEmpty)

            let usage = try usage()
            #expect(usage.contents == digests.count)
            #expect(usage.contentBytes == inodes.values.reduce(0, +))
        }

        @Test("du's numbers are the file system's") func numbers() throws {
            try program.succeed("add", "bash", "ls")
            // The same content with another mode: stored once, with a further inode of its own.
            for (name, mode) in [("first", "755"), ("second", "750"), ("third", "711")] {
                try folder.write(name, Array("#!/bin/bash\necho same\n".utf8))
                try Tool.succeed("chmod", [mode, folder.path + "/" + name])
                try program.succeed("add", folder.path + "/" + name)
            }
            let contents = try usage().contents
            try program.succeed("materialize", "first+second+third", folder.path + "/root")
            let usage = try usage()
            #expect(usage.contents == contents)
            for (name, told) in [("blobs", usage.blobs), ("nodes", usage.nodes)] {
                let files = try files(program.store + "/" + name)
                #expect(told.count == Set(files.map(\.inode)).count, "\(name)")
                #expect(told.bytes == files.map(\.size).reduce(0, +), "\(name)")
                #expect(told.allocated == files.map(\.allocated).reduce(0, +), "\(name)")
            }
            #expect(usage.nodes.count == 2)
            let total = try Tool.succeed("du", ["--block-size=1", "--summarize", program.store]).lines
            let all = try #require(total.first?.split(separator: "\t").first.flatMap { Int($0) })
            #expect(usage.blobs.allocated + usage.nodes.allocated <= all)
        }

        private func usage() throws -> Usage {
            try JSONDecoder().decode(Usage.self, from: Data(program.succeed("du", "--json").output))
        }

        private func files(_ folder: String) throws -> [(inode: Substring, size: Int, allocated: Int)] {
            try Tool.succeed("find", [folder, "-type", "f", "-printf", "%i %s %b\\n"]).lines.map { line in
                let fields = line.split(separator: " ")
                return (fields[0], try #require(Int(fields[1])), try #require(Int(fields[2])) * 512)
            }
        }

        private struct Usage: Decodable {
            struct Inodes: Decodable {
                var count: Int
                var bytes: Int
                var allocated: Int
            }

            var blobs: Inodes
            var nodes: Inodes
            var contents: Int
            var contentBytes: Int
        }
    }
}
