import Bytes
import Loader
import TestSupport
import Testing

@Suite(.enabled(if: Fixture.isPossible, "needs gcc"))
struct SearchPathTests {
    private static let runpath = "-Wl,--enable-new-dtags,-rpath,"
    private static let rpath = "-Wl,--disable-new-dtags,-rpath,"

    @Test("A DT_RUNPATH serves the object's own needs, not those of its libraries")
    func runpathIsNotInherited() throws {
        let fixture = try Fixture()
        try fixture.library("l/libb.so")
        try fixture.library("l/liba.so", needs: ["l/libb.so"])
        try fixture.program(needs: ["l/liba.so"], [Self.runpath + fixture.path + "/l"])
        try fixture.expectAgreement()
        let missing = try #require(try fixture.closure().unresolved.first)
        #expect(missing.name == "libb.so")
        #expect(missing.kind == .needed)
        #expect(missing.neededBy.description == fixture.path + "/l/liba.so")
        #expect(missing.cause == .notFound)
        // No directory of ours was looked into; all system directories were.
        #expect(missing.attempts.map(\.path.description).allSatisfy { !$0.hasPrefix(fixture.path) })
        #expect(missing.attempts.contains { $0.path.description.hasPrefix("/usr/lib/") })
    }

    @Test("A DT_RPATH serves the libraries of the object's libraries too")
    func rpathIsInherited() throws {
        let fixture = try Fixture()
        try fixture.library("l/libb.so")
        try fixture.library("l/liba.so", needs: ["l/libb.so"])
        try fixture.program(needs: ["l/liba.so"], [Self.rpath + fixture.path + "/l"])
        try fixture.expectAgreement()
        #expect(try fixture.files(fixture.closure()) == ["l/liba.so", "l/libb.so", "prog"])
    }

    @Test("A library with a DT_RUNPATH of its own does not search the program's DT_RPATH")
    func runpathHidesInheritedRpath() throws {
        let fixture = try Fixture()
        try fixture.library("l/libb.so")
        try fixture.makeDirectory("empty")
        try fixture.library("l/liba.so", needs: ["l/libb.so"], [Self.runpath + fixture.path + "/empty"])
        try fixture.program(needs: ["l/liba.so"], [Self.rpath + fixture.path + "/l"])
        try fixture.expectAgreement()
        #expect(try fixture.closure().unresolved.map(\.name) == ["libb.so"])
    }

    @Test("The DT_RPATH chain passes through a library that has a DT_RUNPATH")
    func rpathChainPassesRunpath() throws {
        let fixture = try Fixture()
        try fixture.library("c/libc1.so")
        try fixture.library("b/libb.so", needs: ["c/libc1.so"])
        try fixture.library("a/liba.so", needs: ["b/libb.so"], [Self.runpath + fixture.path + "/b"])
        try fixture.program(needs: ["a/liba.so"], [Self.rpath + fixture.path + "/a:" + fixture.path + "/c"])
        try fixture.expectAgreement()
        #expect(try fixture.closure().isComplete)
    }

    @Test("$ORIGIN of a library is the directory of the path it was opened by, links not followed")
    func originOfLibrary() throws {
        let fixture = try Fixture()
        try fixture.library("real/libb.so")
        try fixture.library("real/liba.so", needs: ["real/libb.so"], [Self.runpath + "$ORIGIN/sub"])
        try fixture.move("real/libb.so", to: "app/sub/libb.so")
        try fixture.link("app/liba.so", to: "../real/liba.so")
        try fixture.program(needs: ["real/liba.so"], [Self.runpath + fixture.path + "/app"])
        try fixture.expectAgreement()
        #expect(
            try fixture.files(fixture.closure()) == ["app/liba.so", "app/sub/libb.so", "prog", "real/liba.so"])
    }

    @Test("$ORIGIN of a program is the directory of its real file, although it was asked for by a link")
    func originOfProgram() throws {
        let fixture = try Fixture()
        try fixture.library("app/lib/liba.so")
        try fixture.program("app/bin/prog", needs: ["app/lib/liba.so"], [Self.runpath + "$ORIGIN/../lib"])
        try fixture.link("link", to: "app/bin/prog")
        try fixture.expectAgreement("link")
        #expect(try fixture.files(fixture.closure("link")) == ["app/bin/prog", "app/lib/liba.so", "link"])
    }

    @Test("A directory that a search path only passes through belongs to the closure")
    func passedDirectory() throws {
        let fixture = try Fixture()
        try fixture.library("lib/liba.so")
        try fixture.makeDirectory("empty/deep")
        try fixture.program(needs: ["lib/liba.so"], [Self.runpath + "$ORIGIN/empty/deep/../../lib"])
        try fixture.expectAgreement()
        #expect(
            try fixture.files(fixture.closure()) == ["empty/deep", "lib/liba.so", "prog"])
    }

    @Test("$LIB and $PLATFORM have the loader's values, and $LIBX is no token")
    func tokens() throws {
        let fixture = try Fixture()
        let library = try #require(
            try Tool.run("gcc", ["-print-multiarch"]).lines.first.map { "lib/\($0)" })
        try fixture.library("\(library)/liba.so")
        try fixture.library("$LIBX/libb.so")
        try fixture.program(
            needs: ["\(library)/liba.so", "$LIBX/libb.so"],
            [Self.runpath + fixture.path + "/$LIB:" + fixture.path + "/$LIBX"])
        try fixture.expectAgreement()
        #expect(try fixture.closure().isComplete)
    }

    @Test(
        "$PLATFORM", .enabled(if: Tool.isAvailable("patchelf"), "needs patchelf"),
        .enabled(if: isX86_64, "the value is known for x86-64"))
    func platform() throws {
        let fixture = try Fixture()
        let levels = ProcessorLevels.host()
        // Before glibc 2.37 newer processors of Intel have a value of their own: whether this is one, the loader agrees or not.
        let directory = levels.contains("haswell") ? "haswell" : "x86_64"
        try fixture.library("\(directory)/liba.so")
        try fixture.program(needs: ["\(directory)/liba.so"], [Self.runpath + fixture.path + "/${PLATFORM}"])
        var options = ResolveOptions()
        options.variants = .levels(levels)
        try fixture.expectAgreement(options: options)
        #expect(try fixture.closure(options: options).isComplete)
    }

    @Test("DF_1_NODEFLIB forbids the system directories and the cache's entries of them")
    func noDefaultLibraries() throws {
        let fixture = try Fixture()
        try fixture.library("l/liba.so")
        try fixture.program(needs: ["l/liba.so"], [Self.runpath + fixture.path + "/l", "-Wl,-z,nodefaultlib"])
        try fixture.expectAgreement()
        let missing = try #require(try fixture.closure().unresolved.first)
        #expect(missing.name == "libc.so.6")
        #expect(missing.attempts.contains { $0.rejection == .defaultLibraryForbidden })
    }

    @Test("Directories of a library path go before DT_RUNPATH and after DT_RPATH")
    func libraryPath() throws {
        let fixture = try Fixture()
        try fixture.library("run/liba.so")
        try fixture.library("given/liba.so")
        try fixture.program(needs: ["run/liba.so"], [Self.runpath + fixture.path + "/run"])
        var options = ResolveOptions()
        options.libraryPath = [ByteString(fixture.path + "/given")]
        #expect(try fixture.files(fixture.closure(options: options)) == ["given/liba.so", "prog"])
        #expect(try fixture.files(fixture.closure()) == ["prog", "run/liba.so"])
    }

    @Test("A search path element relative to the start directory is searched there, and noted")
    func relativeElement() throws {
        let fixture = try Fixture()
        try fixture.library("l/liba.so")
        try fixture.program(needs: ["l/liba.so"], [Self.runpath + "l"])
        #expect(try fixture.closure().unresolved.map(\.name) == ["liba.so"])
        var options = ResolveOptions()
        options.startDirectory = ByteString(fixture.path)
        let closure = try fixture.closure(options: options)
        #expect(closure.isComplete)
        #expect(closure.notes.contains { if case .relativePath("l", _) = $0 { true } else { false } })
    }

    @Test("A setuid program may use $ORIGIN only inside system directories, and no library path")
    func secureMode() throws {
        let fixture = try Fixture()
        try fixture.library("l/liba.so")
        try fixture.program(needs: ["l/liba.so"], [Self.runpath + "$ORIGIN/l"])
        #expect(try fixture.closure().isComplete)
        _ = try Tool.run("chmod", ["u+s", fixture.path + "/prog"])
        let closure = try fixture.closure()
        #expect(closure.unresolved.map(\.name) == ["liba.so"])
        #expect(closure.notes.contains { if case .secureMode = $0 { true } else { false } })
        // LD_LIBRARY_PATH is ignored there too.
        var options = ResolveOptions()
        options.libraryPath = [ByteString(fixture.path + "/l")]
        #expect(try fixture.closure(options: options).unresolved.map(\.name) == ["liba.so"])
    }
}

#if arch(x86_64)
    let isX86_64 = true
#else
    let isX86_64 = false
#endif
