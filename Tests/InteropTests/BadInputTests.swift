import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// One clear message, the documented exit code, nothing on standard output, nothing changed.
    @Suite struct BadInputTests {
        struct Case: Sendable, CustomTestStringConvertible {
            var name: String
            var arguments: [String]
            var status: Int32
            /// What the message must name.
            var says: [String]

            init(_ name: String, _ arguments: [String], _ status: Int32, says: String...) {
                (self.name, self.arguments, self.status, self.says) = (name, arguments, status, says)
            }

            var testDescription: String { name }
        }

        /// FOLDER stands for the test's own directory.
        static let cases = [
            Case("unknown program", ["add", "bahs"], 2, says: "bahs", "bash"),
            Case("unknown program, resolved", ["resolve", "bahs"], 2, says: "bahs", "bash"),
            Case("a path that leads nowhere", ["add", "FOLDER/nothing"], 2, says: "FOLDER/nothing"),
            Case("directory", ["add", "/usr"], 1, says: "/usr", "directory"),
            Case("neither ELF nor script", ["add", "FOLDER/noise"], 1, says: "FOLDER/noise", "ELF", "script"),
            Case("damaged ELF", ["add", "FOLDER/stump"], 1, says: "FOLDER/stump"),
            Case(
                "missing interpreter", ["add", "FOLDER/orphan"], 3, says: "/nonexistent/interpreter", "FOLDER/orphan"),
            Case("a sound and an unknown program", ["add", "ls", "bahs"], 2, says: "bahs"),
            Case("name taken", ["add", "ls", "--name", "bash"], 4, says: "'bash'", "/usr/bin/ls", "--replace"),
            Case("image name taken", ["compose", "bash+other", "-t", "image"], 4, says: "'image'", "--replace"),
            Case("unknown layer", ["compose", "bash+othr", "-t", "new"], 2, says: "othr", "other"),
            Case("unknown root", ["materialize", "imag", "FOLDER/root"], 2, says: "imag", "image"),
            Case("unknown name to remove", ["rm", "bash", "nonesuch"], 2, says: "nonesuch"),
            Case("target not empty", ["materialize", "bash", "FOLDER"], 4, says: "FOLDER", "empty"),
            Case("layout where a file is", ["export", "bash", "--oci", "FOLDER/noise"], 4, says: "FOLDER/noise"),
            Case("export into nowhere", ["export", "bash", "--tar", "FOLDER/no/where"], 1, says: "FOLDER/no"),
            Case("bad expression", ["compose", "bash++other", "-t", "new"], 64, says: "bash++other"),
            Case("empty expression", ["show", ""], 64, says: "empty"),
            Case("bad name", ["add", "ls", "--name", "../x"], 64, says: "../x"),
            Case("no target", ["export", "bash"], 64, says: "--oci"),
            Case("two targets", ["export", "bash", "--oci", "FOLDER/a", "--tar", "FOLDER/b"], 64, says: "--oci"),
            Case("bad option value", ["materialize", "bash", "FOLDER/root", "--link", "soft"], 64, says: "soft"),
            Case("unknown verb", ["frobnicate"], 64, says: "frobnicate"),
            Case(
                "bad SOURCE_DATE_EPOCH", ["env", "SOURCE_DATE_EPOCH=soon", "export", "bash", "--tar", "-"], 64,
                says: "soon"),
        ]

        let folder: TemporaryDirectory
        let program: LayerFSProgram

        init() throws {
            folder = try TemporaryDirectory()
            program = LayerFSProgram(store: folder.path + "/store")
            try program.succeed("add", "bash")
            try folder.write("script", Array("#!/bin/bash\n".utf8))
            try folder.write("noise", [0, 1, 2, 3, 0xff, 0xfe, 0, 0])
            try folder.write("stump", [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0])
            try folder.write("orphan", Array("#!/nonexistent/interpreter\n".utf8))
            try Tool.succeed("chmod", ["755"] + ["script", "noise", "stump", "orphan"].map { folder.path + "/" + $0 })
            try program.succeed("add", folder.path + "/script", "--name", "other")
            try program.succeed("compose", "bash", "-t", "image")
        }

        @Test("bad input", arguments: cases) func rejection(_ bad: Case) throws {
            // A name is found to be taken only after the content was staged.
            let before = try TreeListing(folder.path, directoryTimes: false)
            let fill = { (text: String) in text.replacingOccurrences(of: "FOLDER", with: folder.path) }
            var (arguments, program) = (bad.arguments.map(fill), self.program)
            if arguments.first == "env" {
                program.environment["SOURCE_DATE_EPOCH"] = String(arguments[1].split(separator: "=")[1])
                arguments.removeFirst(2)
            }
            let outcome = try program.run(arguments)
            #expect(outcome.status == bad.status, "\(outcome.errors)")
            #expect(outcome.output == [])
            for text in bad.says.map(fill) { #expect(outcome.errors.contains(text), "\(outcome.errors)") }
            try expect(TreeListing(folder.path, directoryTimes: false), equals: before)
        }

        @Test("--replace lets a taken name stand for the new content") func replacing() throws {
            let replaced = try program.succeed("add", "ls", "--name", "bash", "--replace")
            #expect(replaced.errors.contains("replaced bash"))
            #expect(try program.succeed("show", "bash").text.contains("/usr/bin/ls"))
            // The image keeps the layer that it was composed of.
            #expect(try program.succeed("show", "image").text.contains("/usr/bin/bash"))
        }

        @Test("adding the same again changes nothing and is no conflict") func again() throws {
            #expect(try program.succeed("add", "bash").errors.contains("unchanged bash"))
        }

        @Test("an unreadable file is named, and no store is made", .needs("setpriv", root: true)) func unreadable()
            throws
        {
            var program = self.program.unprivileged
            program.store = folder.path + "/unprivileged"
            try Tool.succeed("chmod", ["1777", folder.path])
            try Tool.succeed("chmod", ["700", folder.path + "/script"])
            let outcome = try program.run("add", folder.path + "/script")
            #expect(outcome.status == 1 && outcome.output == [])
            for text in ["cannot read \(folder.path)/script: ", "Permission denied"] {
                #expect(outcome.errors.contains(text), "\(outcome.errors)")
            }
            #expect(!outcome.errors.contains("//"), "\(outcome.errors)")
            #expect(!FileManager.default.fileExists(atPath: program.store))
        }
    }
}
