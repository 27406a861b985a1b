import Bytes
import ELF
import Foundation
import Loader
import TestSupport
import Testing

struct ForeignRootTests {
    private func paths(_ closure: Closure) -> [String] { closure.files.map(\.path.description) }

    private func triplet(_ machine: Machine) -> String { "usr/lib/" + machine.triplet }

    @Test("The closure comes from the root's loader: its directories, links and all", arguments: Machine.all)
    func closure(_ machine: Machine) throws {
        let root = try ForeignRoot(machine)
        try root.library("\(triplet(machine))/liba.so.1.2", needed: ["libc.so.6"])
        try root.link("\(triplet(machine))/liba.so.1", to: "liba.so.1.2")
        try root.library("\(triplet(machine))/libc.so.6", needed: [])
        try root.program(needed: ["liba.so.1", "libc.so.6"])
        let closure = try root.closure()
        #expect(closure.unresolved == [])
        #expect(
            paths(closure).sorted()
                == [
                    "/lib", "/usr" + machine.interpreter, "/usr/bin/tool", "/\(triplet(machine))/liba.so.1",
                    "/\(triplet(machine))/liba.so.1.2", "/\(triplet(machine))/libc.so.6",
                ].sorted())
        let place = SearchPlace.systemDirectory(ByteString("/lib/\(machine.triplet)/"))
        #expect(closure.edges.filter { $0.kind == .needed }.map(\.place) == [place, place, .alreadyLoaded])
        // Where each file is on this machine.
        #expect(closure.files.allSatisfy { $0.sourcePath == ByteString(root.path) + $0.path.bytes })
    }

    @Test("A library of another machine is passed by, of each other machine", arguments: Machine.all)
    func otherMachines(_ machine: Machine) throws {
        let root = try ForeignRoot(machine)
        var folders: [String] = []
        // Another byte order of the same class ends the search, as ld.so does.
        for other in Machine.all where other.name != machine.name {
            if other.fileClass == machine.fileClass, other.order != machine.order { continue }
            try root.library("opt/\(other.name)/liba.so", of: other)
            folders.append("/opt/" + other.name)
        }
        try root.library("\(triplet(machine))/liba.so")
        try root.program(needed: ["liba.so"], runpath: folders.joined(separator: ":"))
        let closure = try root.closure()
        #expect(closure.isComplete)
        #expect(paths(closure).contains("/\(triplet(machine))/liba.so"))
        #expect(!paths(closure).contains { $0.hasPrefix("/opt/") })
    }

    @Test("$LIB is the root's, and subdirectories depend on its glibc's version", arguments: Machine.all)
    func tokens(_ machine: Machine) throws {
        for (version, isLegacy) in [("2.36", true), ("2.37", false)] {
            let root = try ForeignRoot(machine, version: version)
            try root.library("opt/lib/\(machine.triplet)/liba.so")
            try root.library("opt/lib/\(machine.triplet)/tls/liba.so")
            try root.program(needed: ["liba.so"], runpath: "/opt/$LIB")
            let found = paths(try root.closure()).filter { $0.hasPrefix("/opt/") }
            #expect(found == ["/opt/lib/\(machine.triplet)/\(isLegacy ? "tls/" : "")liba.so"])
        }
    }

    @Test("Variants are those of the root's machine")
    func variants() throws {
        let machine = try #require(Machine.all.last)
        let root = try ForeignRoot(machine)
        let folder = triplet(machine)
        try root.library("\(folder)/liba.so")
        for level in ["z15", "z13", "x86-64-v3"] { try root.library("\(folder)/glibc-hwcaps/\(level)/liba.so") }
        try root.program(needed: ["liba.so"])
        let found = paths(try root.closure()).filter { $0.hasSuffix("liba.so") }
        #expect(found == ["z13", "z15"].map { "/\(folder)/glibc-hwcaps/\($0)/liba.so" } + ["/\(folder)/liba.so"])
    }

    @Test(
        "Subdirectories of capabilities before glibc 2.37 are variants",
        arguments: [("arm64", "atomics"), ("i386", "sse2"), ("i386", "i686/sse2"), ("armhf", "neon/vfp")])
    func legacyVariants(name: String, directory: String) throws {
        let machine = try #require(Machine.all.first { $0.name == name })
        for (version, isSearched) in [("2.36", true), ("2.37", false)] {
            let root = try ForeignRoot(machine, version: version)
            let library = "\(triplet(machine))/liba.so"
            let variant = "\(triplet(machine))/\(directory)/liba.so"
            for name in [library, variant] { try root.library(name) }
            try root.program(needed: ["liba.so"])
            let found = paths(try root.closure()).filter { $0.hasSuffix("liba.so") }
            #expect(Set(found) == Set(["/" + library] + (isSearched ? ["/" + variant] : [])))
        }
    }

    @Test(
        "No way out of the root: absolute links, .., and names that only this machine has",
        arguments: Machine.all)
    func containment(_ machine: Machine) throws {
        let root = try ForeignRoot(machine)
        // Absolute links begin at the root, and .. stops there.
        try root.library("opt/real/liba.so")
        try root.link("\(triplet(machine))/liba.so", to: "/opt/real/liba.so")
        try root.library("opt/real/libb.so")
        try root.link("\(triplet(machine))/libb.so", to: "../../../../../../../../opt/real/libb.so")
        // Files of this machine: beside the root, and under /.
        let outside = String(root.path.dropLast("/root".count)) + "/outside.so"
        try root.library("../outside.so")
        try root.link("\(triplet(machine))/libout.so", to: outside)
        try root.link("\(triplet(machine))/libup.so", to: String(repeating: "../", count: 3) + "../outside.so")
        try root.link("opt/host", to: "/usr/bin")
        let names = [outside, "/../outside.so", "libout.so", "libup.so", "/opt/host/env", "/proc/self/exe"]
        try root.program(
            needed: ["liba.so", "libb.so"] + names, runpath: "/../..:$ORIGIN/../../..:$ORIGIN/../../../..")
        let closure = try root.closure()
        #expect(closure.unresolved.map(\.name.description) == names)
        #expect(
            closure.edges.filter { $0.kind == .needed }.map(\.to.description) == [
                "/opt/real/liba.so", "/opt/real/libb.so",
            ])
        #expect(closure.files.allSatisfy { $0.sourcePath.hasPrefix(ByteString(root.path + "/")) })
    }

    @Test("A root of musl: the path file or the default, and the loader as libc, for programs and shared objects")
    func musl() throws {
        let root = try ForeignRoot(Machine.all[0])
        try FileManager.default.removeItem(atPath: root.path + "/usr" + root.machine.interpreter)
        let loader = "/lib/ld-musl-aarch64.so.1"
        var file = root.machine.file(soname: "libc.musl-aarch64.so.1")
        file.trailer = Array("\u{0}%.*s/etc/ld-musl-aarch64.path\u{0}/lib:/usr/local/lib:/usr/lib\u{0}".utf8)
        try root.write("usr" + loader, file.build(), mode: 0o755)
        try root.library("usr/local/lib/liba.so", needed: ["libc.musl-aarch64.so.1"])
        let program = root.machine.file(interpreter: loader, needed: ["liba.so", "libc.musl-aarch64.so.1"])
        try root.write("usr/bin/tool", program.build(), mode: 0o755)
        let expected = ["/lib", "/usr/bin/tool", "/usr/lib/ld-musl-aarch64.so.1", "/usr/local/lib/liba.so"]
        #expect(paths(try root.closure()) == expected)
        #expect(try root.closure().isComplete)
        #expect(try root.closure("/usr/local/lib/liba.so").isComplete)
        try root.write("etc/ld-musl-aarch64.path", Array("/opt\n".utf8))
        #expect(try root.closure().unresolved.map(\.name) == ["liba.so"])
        try root.library("opt/liba.so")
        #expect(try paths(root.closure()).contains("/etc/ld-musl-aarch64.path"))
    }

    @Test("An interpreter that only this machine has is missing in the root")
    func interpreter() throws {
        let machine = try #require(Machine.all.first)
        let root = try ForeignRoot(machine)
        let file = machine.file(interpreter: "/bin/sh", needed: [])
        try root.write("usr/bin/tool", file.build(), mode: 0o755)
        #expect(try root.closure().unresolved.map(\.name) == ["/bin/sh"])
        #expect(try root.closure().unresolved.map(\.kind) == [.interpreter])
    }

    @Test("Names are looked up in the root's PATH, and scripts run its interpreters")
    func scripts() throws {
        let root = try ForeignRoot(Machine.all[0])
        try root.program("usr/bin/interpreter", needed: [])
        try root.write("usr/bin/script", Array("#!/usr/bin/env interpreter\n".utf8), mode: 0o755)
        try root.program("usr/bin/env", needed: [])
        #expect(
            paths(try root.closure("script"))
                == [
                    "/lib", "/usr/bin/env", "/usr/bin/interpreter", "/usr/bin/script", "/usr/lib/ld-linux-aarch64.so.1",
                ])
        // This machine has ls, the root has not.
        #expect(throws: ProgramError.self) { try root.closure("ls") }
    }
}
