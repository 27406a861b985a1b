import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Roots of other machines, made of Debian's packages, of which nothing can run here.
    @Suite(.needs("apt-get", "dpkg-deb", "tar", "readelf", "strace")) struct ForeignMachineTests {
        /// A machine as Debian and as OCI call it, and its loader.
        struct Machine: CustomTestStringConvertible, Sendable {
            let debian: String
            let platform: String
            let triplet: String
            let loader: String

            var testDescription: String { debian }

            static let arm64 = Machine(
                debian: "arm64", platform: "linux/arm64", triplet: "aarch64-linux-gnu",
                loader: "/lib/ld-linux-aarch64.so.1")
            static let all = [
                arm64,
                Machine(
                    debian: "armhf", platform: "linux/arm/v7", triplet: "arm-linux-gnueabihf",
                    loader: "/lib/ld-linux-armhf.so.3"),
                Machine(
                    debian: "i386", platform: "linux/386", triplet: "i386-linux-gnu", loader: "/lib/ld-linux.so.2"),
                Machine(
                    debian: "s390x", platform: "linux/s390x", triplet: "s390x-linux-gnu", loader: "/lib/ld64.so.1"),
            ]

            var packages: [String] {
                debian == "arm64" ? InteropTests.ForeignMachineTests.packages : ["dash", "libc6"]
            }
        }

        static let packages = [
            "bash", "dash", "coreutils", "libc6", "libtinfo6", "libselinux1", "libpcre2-8-0", "libacl1", "libattr1",
            "libgmp10",
        ]

        /// A machine with libraries of two classes.
        static let mixed = ["libc6", "libc6-i386"]

        /// All that is fetched, once.
        static let archive = Result {
            let archive = try DebianArchive(Machine.all.map(\.debian) + ["amd64"])
            try archive.fetch(
                Machine.all.flatMap { machine in machine.packages.map { "\($0):\(machine.debian)" } }
                    + mixed.map { $0 + ":amd64" })
            return archive
        }

        /// Without network there is nothing to be tested; in CI that is a failure.
        static func isReachable() -> Bool { isCI || (try? archive.get()) != nil }

        let folder: TemporaryDirectory
        let root: String
        let program: LayerFSProgram

        init() throws {
            folder = try TemporaryDirectory()
            root = folder.path + "/root"
            program = LayerFSProgram(store: folder.path + "/store")
        }

        private func makeRoot(_ machine: Machine, without omitted: String...) throws {
            let packages = machine.packages.filter { !omitted.contains($0) }
            try Self.archive.get().makeRoot(root, of: packages, machine.debian)
        }

        /// What readelf says that `files` of the root need, and those need, found where Debian has libraries.
        private func expected(_ files: [String], _ machine: Machine) throws -> Set<String> {
            var found: Set<String> = []
            var pending = files
            while let file = pending.popLast() {
                guard found.insert(file).inserted else { continue }
                for line in try Tool.succeed("readelf", ["--wide", "--dynamic", "--program-headers", root + file]).lines
                {
                    if let name = line.bracketed(after: "(NEEDED)") {
                        let path = try #require(
                            ["/usr/lib/\(machine.triplet)/", "/usr/lib/"].map { $0 + name }.first {
                                FileManager.default.fileExists(atPath: root + $0)
                            }, "\(name) of \(file)")
                        pending.append(try real(path))
                    } else if let loader = line.interpreter {
                        #expect(loader == machine.loader)
                        pending.append(try real("/usr" + loader))
                    }
                }
            }
            return found
        }

        /// `path` of the root without its links, none of which is absolute.
        private func real(_ path: String) throws -> String {
            let full = String(try Tool.succeed("realpath", [root + path]).text.dropLast())
            return String(full.dropFirst(try Tool.succeed("realpath", [root]).text.count - 1))
        }

        private func closure(_ programs: String...) throws -> Set<String> {
            let listed = try program.succeed(["resolve", "--list", "--root", root] + programs).lines
            return Set(listed.filter { (try? FileManager.default.destinationOfSymbolicLink(atPath: root + $0)) == nil })
        }

        @Test(
            "the closure of a shell is what its files say, with the loader and links of its root",
            .enabled("the archive cannot be reached", isReachable), arguments: Machine.all)
        func shell(machine: Machine) throws {
            try makeRoot(machine)
            let shell = machine.debian == "arm64" ? "bash" : "dash"
            let files = try closure(shell)
            #expect(files == (try expected(["/usr/bin/\(shell)"], machine)))
            #expect(files.count == (shell == "bash" ? 4 : 3))
            try program.succeed("add", shell, "--root", root)
            try checkPlatform(of: shell, machine)
        }

        /// What the configuration of the exported image says.
        private func checkPlatform(of expression: String, _ machine: Machine) throws {
            let layout = folder.path + "/layout"
            let report = try JSONDecoder().decode(
                ExportedImage.self,
                from: Data(try program.succeed("export", expression, "--oci", layout, "--json").output))
            let digest = try #require(report.config?.digest).replacingOccurrences(of: ":", with: "/")
            let configuration = try JSONDecoder().decode(
                Configuration.self, from: Data(contentsOf: URL(fileURLWithPath: layout + "/blobs/" + digest)))
            let platform =
                ([configuration.os, configuration.architecture] + [configuration.variant].compactMap(\.self))
                .joined(separator: "/")
            #expect(platform == machine.platform)
        }

        struct Configuration: Decodable {
            var os: String
            var architecture: String
            var variant: String?
        }

        @Test(
            "bash and ls of arm64 become layers of their root's files and packages, and an image for linux/arm64",
            .enabled("the archive cannot be reached", isReachable))
        func layers() throws {
            try makeRoot(.arm64)
            let wanted = try expected(["/usr/bin/bash", "/usr/bin/ls"], .arm64)
            #expect(try closure("bash", "ls") == wanted)
            try program.succeed("add", "bash", "ls", "--root", root)
            try program.succeed("materialize", "bash+ls", folder.path + "/copy", "--link", "copy")
            try program.succeed("check", "bash+ls")
            let copy = try TreeListing(folder.path + "/copy")
            let source = try TreeListing(root)
            let files = Set(copy.entries.filter { $0.value.hasPrefix("f") }.keys)
            #expect(files == Set(wanted.map { String($0.dropFirst()) }))
            #expect(copy.digests.allSatisfy { source.digests[$0.key] == $0.value })
            // Whom the root's own dpkg names as the owner; this machine's has another architecture.
            let why = try program.succeed("why", "bash+ls", "/usr/bin/ls").text
            #expect(why.contains("coreutils") && !why.contains("amd64"))
            try checkPlatform(of: "bash+ls", .arm64)
            try program.succeed("add", "--package", "bash", "--root", root, "--name", "package")
            try checkPlatform(of: "package", .arm64)
        }

        @Test(
            "a 32-bit program of a 64-bit root has the libraries of its class, as the loader of that root says",
            .enabled("the archive cannot be reached", isReachable),
            .enabled(if: isX86_64, "starts loaders of x86"), .needs("gcc", "chroot", root: true))
        func mixedClasses() throws {
            try Self.archive.get().makeRoot(root, of: Self.mixed, "amd64")
            try folder.write("main.c", Array("void _start(void) { for (;;); }".utf8))
            try FileManager.default.createDirectory(atPath: root + "/opt", withIntermediateDirectories: true)
            for (name, flags) in [("narrow", ["-m32", "-L\(root)/usr/lib32"]), ("wide", [])] {
                try Tool.succeed(
                    "gcc",
                    [
                        "-nostdlib", "-Wl,--no-as-needed,--unresolved-symbols=ignore-all", "-o", root + "/opt/" + name,
                        folder.path + "/main.c",
                    ] + flags
                        + ["-l:libc.so.6"])
            }
            for (name, loader, library) in [
                ("narrow", "/lib/ld-linux.so.2", "/usr/lib32/libc.so.6"),
                ("wide", "/lib64/ld-linux-x86-64.so.2", "/usr/lib/x86_64-linux-gnu/libc.so.6"),
            ] {
                let listed = try program.succeed("resolve", "--list", "--root", root, "/opt/" + name).lines
                #expect(listed.contains(library))
                #expect(listed.filter { $0.hasSuffix("/libc.so.6") }.count == 1)
                let real = try Tool.succeed("chroot", [root, loader, "--list", "/opt/" + name])
                #expect(real.text.contains(String(library.dropFirst("/usr".count))), "\(real.text)")
            }
        }

        @Test(
            "a library that the root lacks is missing, whatever this machine has",
            .enabled("the archive cannot be reached", isReachable))
        func missing() throws {
            try makeRoot(.arm64, without: "libpcre2-8-0")
            let outcome = try program.run("add", "ls", "--root", root)
            #expect(outcome.status == 3)
            #expect(outcome.errors.contains("libpcre2-8.so.0, needed by /usr/lib/aarch64-linux-gnu/libselinux.so.1"))
            #expect(outcome.errors.contains("tried /etc/ld.so.cache"))
            #expect(!FileManager.default.fileExists(atPath: program.store))
        }

        @Test(
            "no file of this machine is opened for another root",
            .enabled("the archive cannot be reached", isReachable))
        func containment() throws {
            try makeRoot(.arm64)
            // Links that lead out for whoever follows them without thinking.
            try FileManager.default.createSymbolicLink(
                atPath: root + "/etc/ld.so.cache", withDestinationPath: "/etc/ld.so.cache")
            try FileManager.default.createSymbolicLink(
                atPath: root + "/etc/nsswitch.conf", withDestinationPath: "../../../../../../../etc/nsswitch.conf")
            let own = try opened(["--version"])
            let all = try opened([
                "add", "bash", "ls", "--root", root, "--package", "libselinux1", "--name", "all", "--rest-of-package",
            ])
            // ThreadSanitizer has files of its own.
            let beside = ["/proc/", "/sys/", "/dev/", folder.path + "/"] + (isSanitized ? ["/tmp/tsan."] : [])
            let others = all.subtracting(own).filter { path in
                !beside.contains { path.hasPrefix($0) }
            }
            // The root's parents, and the directory in which layerfs is started, are no content.
            #expect(
                others.filter { !folder.path.hasPrefix($0) && $0 != FileManager.default.currentDirectoryPath } == [])
        }

        /// The paths that layerfs opens with `arguments`.
        private func opened(_ arguments: [String]) throws -> Set<String> {
            let log = folder.path + "/log"
            var traced = program
            traced.wrapper = ["strace", "-f", "-y", "-qq", "-e", "trace=open,openat,openat2", "-o", log]
            try traced.succeed(arguments)
            let text = String(decoding: try folder.read("log"), as: UTF8.self)
            // A call that another thread interrupts is two lines; the second one ends as that of others.
            return Set(text.matches(of: /= [0-9]+<(.*)>$/.anchorsMatchLineEndings()).map { String($0.1) })
        }
    }
}

#if arch(x86_64)
    private let isX86_64 = true
#else
    private let isX86_64 = false
#endif

extension String {
    /// `x` of `… word … [x]`.
    fileprivate func bracketed(after word: String) -> String? {
        guard contains(word), let start = lastIndex(of: "["), let end = lastIndex(of: "]"), start < end else {
            return nil
        }
        return String(self[index(after: start)..<end])
    }

    /// Of readelf's line about PT_INTERP.
    fileprivate var interpreter: String? {
        let mark = "[Requesting program interpreter: "
        guard let range = range(of: mark), let end = lastIndex(of: "]") else { return nil }
        return String(self[range.upperBound..<end])
    }
}
