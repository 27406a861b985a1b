import Bytes
import Foundation
import Loader
import TestSupport
import Testing

/// musl of the Debian packages musl and musl-tools.
let hasMusl = Tool.isAvailable("musl-gcc")
let muslLoader = "/lib/ld-musl-x86_64.so.1"

extension Fixture {
    /// Expects that musl's loader loads the same files for `name` as the closure has, and misses the same names.
    func expectMuslAgreement(
        _ name: String = "prog", loader: String = muslLoader, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try Tool.run(path: loader, ["--list", path + "/" + name])
        var files: Set<String> = []
        for line in result.lines where line.hasPrefix("\t") {
            let path =
                line.dropFirst().components(separatedBy: " => ").last?.components(separatedBy: " (0x").first ?? ""
            files.insert(String(try Tool.run("realpath", [path]).text.dropLast()))
        }
        let missing = result.errors.split(separator: "\n").compactMap { line in
            line.components(separatedBy: "Error loading shared library ").dropFirst().first?
                .components(separatedBy: ": ").first
        }
        let closure = try closure(name)
        let program = closure.programs[0].path.description
        let elf = closure.files.filter { if case .file = $0.kind { true } else { false } }.map(\.path.description)
            .filter { !$0.hasSuffix(".path") }
        #expect(Set(elf).subtracting([program]) == files, sourceLocation: sourceLocation)
        #expect(Set(closure.unresolved.map(\.name.description)) == Set(missing), sourceLocation: sourceLocation)
    }
}
