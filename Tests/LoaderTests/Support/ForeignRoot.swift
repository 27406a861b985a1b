import Bytes
import ELF
import Foundation
import Loader
import TestSupport
import Testing

/// A machine other than this one, as Debian knows it.
struct Machine: CustomTestStringConvertible, Sendable {
    let name: String
    let triplet: String
    let interpreter: String
    let fileClass: ELFClass
    let order: ByteOrder
    let number: UInt16
    var flags: UInt32 = 0
    /// What its glibc lists as `glibc-hwcaps`, worst last.
    var levels: [String] = []
    let cacheFlags: Int32

    var testDescription: String { name }

    static let all = [
        Machine(
            name: "arm64", triplet: "aarch64-linux-gnu", interpreter: "/lib/ld-linux-aarch64.so.1", fileClass: .bits64,
            order: .little, number: 183, cacheFlags: 0xa03),
        Machine(
            name: "i386", triplet: "i386-linux-gnu", interpreter: "/lib/ld-linux.so.2", fileClass: .bits32,
            order: .little, number: 3, cacheFlags: 3),
        Machine(
            name: "armhf", triplet: "arm-linux-gnueabihf", interpreter: "/lib/ld-linux-armhf.so.3", fileClass: .bits32,
            order: .little, number: 40, flags: 0x0500_0400, cacheFlags: 0x903),
        Machine(
            name: "riscv64", triplet: "riscv64-linux-gnu", interpreter: "/lib/ld-linux-riscv64-lp64d.so.1",
            fileClass: .bits64, order: .little, number: 243, flags: 5, cacheFlags: 0x1003),
        Machine(
            name: "s390x", triplet: "s390x-linux-gnu", interpreter: "/lib/ld64.so.1", fileClass: .bits64, order: .big,
            number: 22, levels: ["z16", "z15", "z14", "z13"], cacheFlags: 0x403),
    ]

    func file(
        interpreter: String? = nil, needed: [String] = [], soname: String? = nil, runpath: String? = nil
    ) -> ELFBuilder {
        var builder = ELFBuilder(fileClass: fileClass, order: order, machine: number, flags: flags)
        builder.interpreter = interpreter
        builder.dynamic = needed.map { .string(1, $0) }
        if let soname { builder.dynamic?.append(.string(14, soname)) }
        if let runpath { builder.dynamic?.append(.string(29, runpath)) }
        return builder
    }

    /// A file that holds what a glibc loader's read-only data tells, and no code.
    func loader(version: String = "2.36") -> [UInt8] {
        var builder = file(soname: String(interpreter.dropFirst("/lib/".count)))
        let directories = ["/lib/\(triplet)/", "/usr/lib/\(triplet)/", "/lib/", "/usr/lib/"]
        let text =
            ["", "%s: cannot open"] + directories + [levels.joined(separator: ":")]
            + ["ld.so (Debian GLIBC \(version)-9) stable release version \(version).", ""]
        builder.trailer = Array(text.joined(separator: "\u{0}").utf8)
        return builder.build()
    }
}

/// A root of another machine, with usr-merge and a loader that cannot run here.
final class ForeignRoot {
    let machine: Machine
    let path: String
    private let directory: TemporaryDirectory

    init(_ machine: Machine, version: String = "2.36") throws {
        self.machine = machine
        directory = try TemporaryDirectory()
        path = directory.path + "/root"
        try link("lib", to: "usr/lib")
        try write("usr" + machine.interpreter, machine.loader(version: version), mode: 0o755)
    }

    func write(_ name: String, _ bytes: [UInt8], mode: Int = 0o644) throws {
        try makeParent(of: name)
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path + "/" + name)
    }

    func link(_ name: String, to target: String) throws {
        try makeParent(of: name)
        try FileManager.default.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: target)
    }

    func library(_ name: String, needed: [String] = [], runpath: String? = nil, of other: Machine? = nil) throws {
        let soname = String(name.split(separator: "/").last ?? "")
        try write(name, (other ?? machine).file(needed: needed, soname: soname, runpath: runpath).build())
    }

    func program(_ name: String = "usr/bin/tool", needed: [String], runpath: String? = nil) throws {
        let file = machine.file(interpreter: machine.interpreter, needed: needed, runpath: runpath)
        try write(name, file.build(), mode: 0o755)
    }

    func closure(_ program: ByteString = "/usr/bin/tool", options: ResolveOptions = ResolveOptions()) throws -> Closure
    {
        let resolver = ClosureResolver(try SourceRoot(ByteString(path)), options: options)
        try resolver.add(program)
        return resolver.closure()
    }

    private func makeParent(of name: String) throws {
        let parent = (path + "/" + name).split(separator: "/").dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(atPath: "/" + parent, withIntermediateDirectories: true)
    }
}
