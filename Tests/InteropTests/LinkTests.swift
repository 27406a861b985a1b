import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// How roots share their content with the store, on real file systems.
    @Suite(.serialized) struct LinkTests {
        @Test(
            "auto reflinks on xfs and btrfs: own inodes, shared extents",
            .needs("mkfs.xfs", "mkfs.btrfs", "filefrag", "mount", root: true),
            arguments: [
                (size: "300M", mkfs: ["mkfs.xfs", "-q", "-m", "reflink=1"]),
                (size: "128M", mkfs: ["mkfs.btrfs", "--quiet"]),
            ])
        func reflinks(size: String, mkfs: [String]) throws {
            try MountedFileSystem.withImage(size: size, mkfs: mkfs) { mounted in
                let program = LayerFSProgram(store: mounted.path + "/store")
                try program.succeed("add", "bash", "ls")
                let root = mounted.path + "/root"
                let summary = try MaterializeReport(
                    program.succeed("materialize", "bash+ls", root, "--link", "auto", "--json"))
                let files = try TreeListing(root).digests
                #expect(summary.reflinked == files.count && summary.linked == 0 && summary.copied == 0)
                #expect(summary.fallbacks == [:])
                try Tool.succeed("sync", ["--file-system", root])
                for (path, digest) in files {
                    let map = try Tool.succeed("filefrag", ["-v", root + "/" + path])
                    let extents = map.lines.filter { $0.contains("..") }
                    #expect(!extents.isEmpty && extents.allSatisfy { $0.contains("shared") }, "\(path): \(extents)")
                    let blob = "\(program.store)/blobs/sha256/\(digest.prefix(2))/\(digest.dropFirst(2))"
                    #expect(try Inode(root + "/" + path) != Inode(blob))
                }
                // A write in the root stays there.
                try Tool.succeed("sh", ["-c", "echo >> \(root)/usr/bin/bash"])
                try program.succeed("materialize", "bash+ls", mounted.path + "/second", "--link", "copy")
                #expect(try TreeListing(mounted.path + "/second").digests == files)
            }
        }

        @Test("auto makes hard links on ext4: the blob's own inode", .needs("mkfs.ext4", "mount", root: true))
        func hardLinks() throws {
            try MountedFileSystem.withImage(size: "64M", mkfs: ["mkfs.ext4", "-q"]) { mounted in
                let program = LayerFSProgram(store: mounted.path + "/store")
                try program.succeed("add", "bash", "ls")
                let root = mounted.path + "/root"
                let summary = try MaterializeReport(
                    program.succeed("materialize", "bash+ls", root, "--link", "auto", "--json"))
                let files = try TreeListing(root).digests
                #expect(summary.linked == files.count && summary.reflinked == 0 && summary.copied == 0)
                for (path, digest) in files {
                    let blob = "\(program.store)/blobs/sha256/\(digest.prefix(2))/\(digest.dropFirst(2))"
                    #expect(try Inode(root + "/" + path) == Inode(blob), "\(path)")
                }
            }
        }

        @Test(
            "where nothing can be shared, files are copied, and that is said", .needs("mount", root: true),
            arguments: ["auto", "hard", "reflink"])
        func copies(mode: String) throws {
            let store = try SharedStore.get()
            try MountedFileSystem.withMemory(options: "size=64m") { mounted in
                let root = mounted.path + "/root"
                let outcome = try store.program.succeed("materialize", "shell", root, "--link", mode)
                let files = try TreeListing(root).digests
                #expect(outcome.output == [])
                #expect(outcome.errors.contains("\(files.count) copied ("))
                let reason = mode == "reflink" ? "the file system cannot share blocks" : "(EXDEV)"
                let line = outcome.errors.split(separator: "\n").first { $0.contains("copied instead of shared") } ?? ""
                #expect(line.contains("\(files.count) copied instead of shared: "), "\(outcome.errors)")
                #expect(line.contains(reason), "\(outcome.errors)")
            }
        }
    }
}

/// What `materialize --json` says.
struct MaterializeReport: Decodable {
    var linked: Int
    var reflinked: Int
    var copied: Int
    var fallbacks: [String: Int]

    init(_ outcome: Tool.Outcome) throws { self = try JSONDecoder().decode(Self.self, from: Data(outcome.output)) }
}

/// The identity of a file.
struct Inode: Hashable {
    var device: String
    var number: String

    init(_ path: String) throws {
        let fields = try #require(Tool.succeed("stat", ["--format", "%d %i", path]).lines.first?.split(separator: " "))
        (device, number) = (String(fields[0]), String(fields[1]))
    }
}
