import Bytes
import Foundation
import Loader
import TestSupport
import Testing

/// A directory in which a test builds programs and libraries, to ask both our resolver and the real loader about them.
final class Fixture {
    /// Free of links, so that paths can be compared.
    let path: String
    private let directory: TemporaryDirectory
    private let compiler: String

    /// gcc compiles the programs and the machine's own loader is asked about them.
    static let isPossible = Tool.isAvailable("gcc")

    /// - Parameter compiler: `gcc`, or another that takes its options.
    init(compiler: String = "gcc") throws {
        self.compiler = compiler
        directory = try TemporaryDirectory()
        path = String(try Tool.run("realpath", [directory.path]).text.dropLast())
    }

    /// Compiles a library without libc. `needs` are library files of the fixture, linked by their names.
    func library(
        _ name: String, source: String = "int x;", soname: String? = nil, needs: [String] = [], _ flags: [String] = []
    ) throws {
        try compile(
            name, source,
            ["-shared", "-fPIC", "-nostdlib"]
                + (soname.map { ["-Wl,-soname,\($0)"] } ?? []) + link(needs) + flags)
    }

    /// Compiles a program with libc.
    func program(
        _ name: String = "prog", source: String = "int main(void) { return 0; }", needs: [String] = [],
        _ flags: [String] = []
    ) throws {
        try compile(name, source, link(needs) + flags)
    }

    private func link(_ needs: [String]) -> [String] {
        ["-Wl,--no-as-needed"]
            + needs.flatMap { need -> [String] in
                let parts = need.split(separator: "/")
                return ["-L\(path)/\(parts.dropLast().joined(separator: "/"))", "-l:\(parts.last ?? "")"]
            }
    }

    private func compile(_ name: String, _ source: String, _ flags: [String]) throws {
        try makeParent(name)
        try write("source.c", source + "\n")
        // What a library needs may be missing on purpose.
        let result = try Tool.run(
            compiler, ["-o", path + "/" + name, path + "/source.c", "-Wl,--unresolved-symbols=ignore-all"] + flags)
        try #require(result.status == 0, "\(compiler): \(result.errors)")
    }

    func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
        try makeParent(name)
        let file = path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    }

    func writeBytes(_ name: String, _ bytes: [UInt8]) throws {
        try makeParent(name)
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    func link(_ name: String, to target: String) throws {
        try makeParent(name)
        try FileManager.default.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: target)
    }

    func hardLink(_ name: String, to file: String) throws {
        try makeParent(name)
        try FileManager.default.linkItem(atPath: path + "/" + file, toPath: path + "/" + name)
    }

    func move(_ name: String, to newName: String) throws {
        try makeParent(newName)
        try FileManager.default.moveItem(atPath: path + "/" + name, toPath: path + "/" + newName)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path + "/" + name) }

    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
    }

    func patch(_ name: String, _ arguments: [String]) throws {
        let result = try Tool.run("patchelf", arguments + [path + "/" + name])
        try #require(result.status == 0, "patchelf: \(result.errors)")
    }

    private func makeParent(_ name: String) throws {
        let parts = name.split(separator: "/").dropLast()
        if !parts.isEmpty { try makeDirectory(parts.joined(separator: "/")) }
    }

    /// Our answer for `name` of the fixture.
    func closure(_ name: String = "prog", options: ResolveOptions = ResolveOptions()) throws -> Closure {
        let resolver = ClosureResolver(try SourceRoot(), options: options)
        try resolver.add(ByteString(path + "/" + name))
        return resolver.closure()
    }

    /// A root that holds the files of `closure` and nothing else.
    func layOut(_ closure: Closure) throws -> TemporaryDirectory {
        let root = try TemporaryDirectory()
        for file in closure.files {
            let target = root.path + file.path.description
            let parent = target.split(separator: "/").dropLast().joined(separator: "/")
            try FileManager.default.createDirectory(atPath: "/" + parent, withIntermediateDirectories: true)
            switch file.kind {
            case .directory: try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
            case .file: try FileManager.default.copyItem(atPath: file.sourcePath.description, toPath: target)
            case .symlink(let link):
                try FileManager.default.createSymbolicLink(atPath: target, withDestinationPath: link.description)
            }
        }
        return root
    }

    /// The files of `closure` that belong to the fixture, without its path, sorted.
    func files(_ closure: Closure) -> [String] {
        closure.files.map(\.path.description).filter { $0.hasPrefix(path + "/") }.map {
            String($0.dropFirst(path.count + 1))
        }
    }

    /// Expects that the real loader loads the same files for `name` as the closure has, and misses the same names; it is
    /// started in the options' directory, with their library path.
    func expectAgreement(
        _ name: String = "prog", options: ResolveOptions = ResolveOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let truth = try LoaderAnswer(asking: path + "/" + name, options)
        let closure = try closure(name, options: options)
        let program = closure.programs[0].path.description
        let elf = closure.files.filter { if case .file = $0.kind { true } else { false } }.map(\.path.description)
        // The trace shows the interpreter only where a library needs it.
        let interpreter = closure.edges.filter { $0.kind == .interpreter }.map(\.to.description)
        #expect(
            Set(elf).subtracting([program]) == truth.files.union(interpreter).subtracting([program]),
            sourceLocation: sourceLocation)
        #expect(Set(closure.unresolved.map(\.name.description)) == truth.missing, sourceLocation: sourceLocation)
    }
}

extension Tool {
    /// Runs the program at `path`.
    static func run(path: String, _ arguments: [String] = []) throws -> Outcome {
        try run("env", [path] + arguments)
    }
}

/// What the real loader would load for a program: it is started with LD_TRACE_LOADED_OBJECTS, and does not start it.
struct LoaderAnswer {
    var files: Set<String> = []
    var missing: Set<String> = []

    init(asking program: String, _ options: ResolveOptions = ResolveOptions()) throws {
        let directory = options.startDirectory.description
        let libraryPath = options.libraryPath.map(\.description).joined(separator: ":")
        let variables =
            ["LD_TRACE_LOADED_OBJECTS=1"] + (libraryPath.isEmpty ? [] : ["LD_LIBRARY_PATH=" + libraryPath])
        let output = try Tool.run("env", ["-i", "--chdir", directory] + variables + [program])
        for line in output.lines where line.hasPrefix("\t") {
            let text = line.dropFirst()
            if let name = text.components(separatedBy: " => not found").first, name.count < text.count {
                missing.insert(name)
                continue
            }
            let path = text.components(separatedBy: " => ").last?.components(separatedBy: " (0x").first ?? ""
            // Relative to where it was started, unless it is the kernel's own object.
            let place = path.hasPrefix("/") ? path : directory + "/" + path
            guard FileManager.default.fileExists(atPath: place) else { continue }
            files.insert(String(try Tool.run("realpath", [place]).text.dropLast()))
        }
    }
}
