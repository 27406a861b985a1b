import Bytes
import Loader
import TestSupport
import Testing

@Suite(.enabled(if: Fixture.isPossible, "needs gcc"))
struct LibraryNameTests {
    private func runpath(_ fixture: Fixture, _ directories: String...) -> [String] {
        ["-Wl,--enable-new-dtags,-rpath," + directories.map { fixture.path + "/" + $0 }.joined(separator: ":")]
    }

    @Test("A name with a slash is opened as it is; its tokens are replaced", .enabled(if: Tool.isAvailable("patchelf")))
    func pathNames() throws {
        let fixture = try Fixture()
        try fixture.library("l/liba.so")
        try fixture.library("l/libb.so")
        try fixture.program()
        try fixture.patch("prog", ["--add-needed", fixture.path + "/l/liba.so"])
        try fixture.patch("prog", ["--add-needed", "$ORIGIN/l/libb.so"])
        try fixture.expectAgreement()
        let closure = try fixture.closure()
        #expect(fixture.files(closure) == ["l/liba.so", "l/libb.so", "prog"])
        #expect(closure.edges.filter { $0.place == .literal && $0.kind == .needed }.count == 2)
    }

    @Test("An object with the DT_SONAME asked for satisfies the name, wherever it was found")
    func sonameSatisfies() throws {
        let fixture = try Fixture()
        // Breadth first: libx.so, needed by the program, is loaded before liba's need of libfoo.so.1 comes up.
        try fixture.library("other/libfoo.so.1")
        try fixture.library("l/libx.so", soname: nil)
        try fixture.library("l/libfoo.so.1", soname: "libfoo.so.1")
        try fixture.library("l/liba.so", needs: ["other/libfoo.so.1"], runpath(fixture, "other"))
        try fixture.move("l/libfoo.so.1", to: "l/libx.so.tmp")
        try fixture.program(needs: ["l/liba.so", "l/libx.so"], runpath(fixture, "l"))
        try fixture.remove("l/libx.so")
        try fixture.move("l/libx.so.tmp", to: "l/libx.so")
        try fixture.expectAgreement()
        #expect(try fixture.files(fixture.closure()) == ["l/liba.so", "l/libx.so", "prog"])
    }

    @Test("The order of loading is breadth first: a direct need wins over a deeper one of the same soname")
    func breadthFirst() throws {
        let fixture = try Fixture()
        try fixture.library("deep/libs.so", soname: "libs.so")
        try fixture.library("direct/libs.so", soname: "libs.so")
        try fixture.library("l/liba.so", needs: ["deep/libs.so"], runpath(fixture, "deep"))
        try fixture.program(needs: ["l/liba.so", "direct/libs.so"], runpath(fixture, "l", "direct"))
        try fixture.expectAgreement()
        #expect(try fixture.files(fixture.closure()) == ["direct/libs.so", "l/liba.so", "prog"])
    }

    @Test("Two names of one file are both kept: links, and hard links")
    func namesOfOneFile() throws {
        let fixture = try Fixture()
        try fixture.library("l/liba.so")
        try fixture.library("l/libb.so")
        try fixture.library("l/libc1.so")
        try fixture.program(needs: ["l/liba.so", "l/libb.so", "l/libc1.so"], runpath(fixture, "l"))
        try fixture.remove("l/libb.so")
        try fixture.remove("l/libc1.so")
        try fixture.link("l/libb.so", to: "liba.so")
        try fixture.hardLink("l/libc1.so", to: "l/liba.so")
        let closure = try fixture.closure()
        #expect(closure.isComplete)
        #expect(fixture.files(closure) == ["l/liba.so", "l/libb.so", "l/libc1.so", "prog"])
    }

    @Test("Libraries that need each other end the search")
    func cycle() throws {
        let fixture = try Fixture()
        try fixture.library("l/libb.so")
        try fixture.library("l/liba.so", needs: ["l/libb.so"], runpath(fixture, "l"))
        try fixture.library("l/libb.so", needs: ["l/liba.so"], runpath(fixture, "l"))
        try fixture.program(needs: ["l/liba.so"], runpath(fixture, "l"))
        try fixture.expectAgreement()
        #expect(try fixture.files(fixture.closure()) == ["l/liba.so", "l/libb.so", "prog"])
    }

    @Test("A name needed twice is one file", .enabled(if: Tool.isAvailable("patchelf")))
    func duplicates() throws {
        let fixture = try Fixture()
        try fixture.library("l/liba.so")
        try fixture.program(needs: ["l/liba.so"], runpath(fixture, "l"))
        try fixture.patch("prog", ["--add-needed", "liba.so"])
        try fixture.expectAgreement()
        #expect(try fixture.files(fixture.closure()) == ["l/liba.so", "prog"])
    }

    @Test("300 needed libraries are all found")
    func manyLibraries() throws {
        let fixture = try Fixture()
        try fixture.library("l/lib0.so")
        let names = (0..<300).map { "l/lib\($0).so" }
        // Copies, not links: each is a file of its own.
        for name in names.dropFirst() {
            _ = try Tool.run("cp", [fixture.path + "/l/lib0.so", fixture.path + "/" + name])
        }
        try fixture.program(needs: names, runpath(fixture, "l"))
        let closure = try fixture.closure()
        #expect(closure.isComplete)
        #expect(Set(fixture.files(closure)) == Set(names + ["prog"]))
    }

    @Test("The loader's own soname is no file to search", .enabled(if: Tool.isAvailable("patchelf")))
    func loaderByName() throws {
        let fixture = try Fixture()
        try fixture.program()
        let interpreter = try #require(
            try fixture.closure().edges.first { $0.kind == .interpreter }?.name.description)
        try fixture.patch("prog", ["--add-needed", String(interpreter.split(separator: "/").last ?? "")])
        try fixture.expectAgreement()
        let edge = try #require(
            try fixture.closure().edges.first { $0.kind == .needed && interpreter.hasSuffix($0.name.description) })
        #expect(edge.place == .alreadyLoaded)
    }

    @Test("A library that lacks a symbol version asked for is reported, as the loader does")
    func missingVersion() throws {
        let fixture = try Fixture()
        try fixture.write("new.map", "V1 { global: f; }; V2 { global: g; } V1;\n")
        try fixture.write("old.map", "V1 { global: f; };\n")
        for (version, folder) in [("old", "old"), ("new", "l")] {
            try fixture.library(
                "\(folder)/libv.so", source: "int f(void) { return 0; } int g(void) { return 0; }",
                ["-Wl,--version-script,\(fixture.path)/\(version).map"])
        }
        try fixture.program(
            "prog", source: "int g(void); int main(void) { return g(); }", needs: ["l/libv.so"], runpath(fixture, "l"))
        #expect(try fixture.closure().isComplete)
        try fixture.remove("l/libv.so")
        try fixture.move("old/libv.so", to: "l/libv.so")
        #expect(try fixture.closure().unresolved.map(\.cause) == [.missingVersions(["V2"])])
        #expect(try fixture.closure().unresolved.map(\.name) == ["libv.so"])
        let real = try Tool.run(path: fixture.path + "/prog")
        #expect(real.status != 0)
        #expect(real.errors.contains("version `V2' not found"))
    }

    @Test("A missing library is named with every place tried")
    func missing() throws {
        let fixture = try Fixture()
        try fixture.library("l/libgone.so")
        try fixture.program(needs: ["l/libgone.so"], runpath(fixture, "l"))
        try fixture.remove("l/libgone.so")
        try fixture.expectAgreement()
        let closure = try fixture.closure()
        #expect(!closure.isComplete)
        let missing = try #require(closure.unresolved.first)
        #expect(missing.name == "libgone.so")
        #expect(missing.neededBy == missing.program)
        #expect(missing.attempts.first?.path == ByteString(fixture.path + "/l/libgone.so"))
        #expect(missing.attempts.first?.rejection == .unreachable(.notFound))
        #expect(missing.description.contains("libgone.so: not found; needed of \(fixture.path)/prog"))
    }
}
