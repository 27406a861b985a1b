import Bytes
import ELF
import Foundation
import Loader
import TestSupport
import Testing

struct LoaderConstantsTests {
    private static let loader = "/lib64/ld-linux-x86-64.so.2"
    private static let hasLoader = isX86_64 && FileManager.default.fileExists(atPath: loader)

    private func constants() throws -> LoaderConstants {
        let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: Self.loader)))
        return LoaderConstants(loader: bytes, header: try ELFHeader(bytes[...]))
    }

    @Test(
        "The constants in the loader's file are those it prints", .enabled(if: hasLoader, "needs the loader of x86-64"))
    func agreesWithHelp() throws {
        let constants = try constants()
        #expect(constants.origin == .loader)
        let help = try Tool.run(path: Self.loader, ["--help"]).lines
        let directories = help.filter { $0.hasSuffix("(system search path)") }
            .compactMap { $0.split(separator: " ").first.map { String($0) + "/" } }
        #expect(constants.systemDirectories.map { $0.description } == directories)
        let levels = help.filter { $0.hasPrefix("  x86-64-v") }
            .compactMap { line in line.split(separator: " ").first.map { String($0) } }
        #expect(constants.hardwareCapabilities.map { $0.description } == levels)
        let version = try Tool.run(path: Self.loader, ["--version"]).text
        #expect(version.contains("release version \(try #require(constants.version))."))
    }

    @Test("A file that tells nothing gives the machine's defaults")
    func defaults() throws {
        var bytes = ELFHeader.magic + [2, 1, 1] + [UInt8](repeating: 0, count: 57)
        bytes[18] = 183
        let header = try ELFHeader(bytes[...])
        let constants = LoaderConstants(loader: bytes, header: header)
        #expect(constants == LoaderConstants(defaultsFor: header))
        #expect(constants.origin == .table)
        #expect(constants.systemDirectories == ["/lib64/", "/usr/lib64/"])
        #expect(constants.libraryToken == "lib64")
        #expect(constants.platform == "aarch64")
    }

    @Test("Constants are found wherever they lie, of the longest run of directories")
    func scan() throws {
        let header = try ELFHeader((ELFHeader.magic + [2, 1, 1] + [UInt8](repeating: 0, count: 57))[...])
        let text =
            "x\u{0}/lib/short/\u{0}\u{1}\u{2}\u{0}/nix/store/lib/\u{0}/usr/lib64/\u{0}%s: cannot\u{0}z16:z15\u{0}"
            + "ld.so (X 2.31) stable release version 2.31.9.\u{0}"
        let constants = LoaderConstants(loader: Array(text.utf8), header: header)
        #expect(constants.systemDirectories == ["/nix/store/lib/", "/usr/lib64/"])
        #expect(constants.libraryToken == "nix/store/lib")
        #expect(constants.hardwareCapabilities == ["z16", "z15"])
        #expect(constants.version == GlibcVersion(2, 31))
    }
}
