import Bytes
import ELF
import Foundation
import Loader
import TestSupport
import Testing

/// Rules of glibc's loader that programs rarely meet, each built here and asked of the real loader, too.
///
/// The cases by which a resolution of closures is judged, and where each is tested:
///
/// | case | tested in |
/// |---|---|
/// | RUNPATH is not inherited; RPATH is; an object's RUNPATH hides the RPATHs above it | `SearchPathTests` |
/// | both tags in one object; the RPATH of a library; of the program, for all | here |
/// | names with a slash: absolute, with tokens | `LibraryNameTests`; relative: here |
/// | libraries that need each other; 300 needs; a need twice; two names of one file | `LibraryNameTests` |
/// | a missing library: name, needer, places; nothing is stored | `LibraryNameTests`, `MissingLibraryTests` |
/// | another class or machine first; files that are fatal | `CandidateTests`; directories that are none: here |
/// | variants v2, v3, v4 and plain: portable, host, none | `VariantTests` |
/// | `$LIB`, `${PLATFORM}`, `$LIBX` | `SearchPathTests` |
/// | static, static-pie | `ProgramTests`; without any C library, as Go's are: here |
/// | needing the loader by its name, and libc by its path | `LibraryNameTests`; here |
/// | scripts of scripts, `env -S`, six levels, carriage returns, lines too long | `ScriptTests` |
/// | awk through the alternatives | `ProgramTests`, `MachineDatabaseTests` |
/// | 32-bit programs beside 64-bit libraries; a root of libc6-i386 | here, `ForeignMachineTests` |
/// | a root of Debian's arm64 | `ForeignMachineTests` |
/// | a thread that ends itself, in a root of its own | `RuleTests` |
/// | all programs of the machine | `ClosureOracleTests` |
@Suite(
    .enabled(if: Fixture.isPossible, "needs gcc"), .enabled(if: Tool.isAvailable("patchelf"), "needs patchelf"))
struct LoaderCaseTests {
    private static let runpath = "-Wl,--enable-new-dtags,-rpath,"
    private static let rpath = "-Wl,--disable-new-dtags,-rpath,"

    private func starting(in directory: String) -> ResolveOptions {
        var options = ResolveOptions()
        options.startDirectory = ByteString(directory)
        return options
    }

    @Test(
        "A name with a slash that is relative begins where the program is started",
        arguments: ["l/liba.so", "./l/liba.so"])
    func relativeNames(name: String) throws {
        let fixture = try Fixture()
        try fixture.library("l/liba.so")
        try fixture.makeDirectory("elsewhere")
        try fixture.program()
        try fixture.patch("prog", ["--add-needed", name])
        for directory in ["", "/elsewhere"] {
            try fixture.expectAgreement(options: starting(in: fixture.path + directory))
        }
        let found = try fixture.closure(options: starting(in: fixture.path))
        #expect(found.isComplete)
        #expect(found.notes.contains { if case .relativePath = $0 { true } else { false } })
        // The path tried is shown as a person would write it.
        #expect(try fixture.closure().unresolved.first?.attempts.map(\.path) == ["/l/liba.so"])
    }

    @Test("A relative interpreter begins where the program is started, and is noted")
    func relativeInterpreter() throws {
        let fixture = try Fixture()
        try fixture.program()
        let usual = try #require(try fixture.closure().edges.first { $0.kind == .interpreter })
        try fixture.link("my/ld.so", to: usual.openedAs.description)
        try fixture.patch("prog", ["--set-interpreter", "./my/ld.so"])
        try fixture.expectAgreement(options: starting(in: fixture.path))
        let closure = try fixture.closure()
        #expect(closure.unresolved.first?.attempts.map(\.path) == ["/my/ld.so"])
        #expect(closure.notes.contains { if case .relativePath("./my/ld.so", _) = $0 { true } else { false } })
    }

    @Test(
        "An empty element of a search path is the directory the program is started in",
        arguments: [":/x", "/x:", "/x::/y"])
    func emptyElements(path: String) throws {
        for tag in [Self.runpath, Self.rpath] {
            let fixture = try Fixture()
            try fixture.library("l/liba.so")
            try fixture.program(needs: ["l/liba.so"], [tag + path])
            try fixture.expectAgreement(options: starting(in: fixture.path + "/l"))
            #expect(try fixture.closure(options: starting(in: fixture.path + "/l")).isComplete)
            try fixture.expectAgreement()
        }
    }

    @Test(
        "An element that is a file, or lies behind one, is passed by",
        arguments: ["file", "file/deeper", "gone", "link/.."])
    func unusableElements(element: String) throws {
        let fixture = try Fixture()
        try fixture.write("file", "")
        try fixture.makeDirectory("far/away")
        try fixture.link("link", to: "far/away")
        try fixture.library("good/liba.so")
        try fixture.program(needs: ["good/liba.so"], [Self.runpath + "\(fixture.path)/\(element):\(fixture.path)/good"])
        try fixture.expectAgreement()
        #expect(try fixture.closure().isComplete)
    }

    @Test("Links in front of .. are followed: the kernel resolves what the text does not")
    func parentOfLink() throws {
        let fixture = try Fixture()
        try fixture.makeDirectory("far/away")
        try fixture.link("link", to: "far/away")
        try fixture.library("far/l/liba.so")
        try fixture.program(needs: ["far/l/liba.so"], [Self.runpath + "$ORIGIN/link/../l"])
        try fixture.expectAgreement()
        #expect(try fixture.files(fixture.closure()) == ["far/away", "far/l/liba.so", "link", "prog"])
    }

    @Test("The DT_RPATH of a library serves what it needs and they need, not its siblings")
    func rpathOfLibrary() throws {
        let fixture = try Fixture()
        try fixture.library("c/libc1.so")
        try fixture.library("c/libb.so", needs: ["c/libc1.so"])
        try fixture.library("l/liba.so", needs: ["c/libb.so"], [Self.rpath + "$ORIGIN/../c"])
        try fixture.library("l/libsibling.so", needs: ["c/libc1.so"])
        try fixture.program(needs: ["l/liba.so"], [Self.runpath + fixture.path + "/l"])
        try fixture.expectAgreement()
        #expect(try fixture.closure().isComplete)
        // Breadth first: the sibling asks before anyone has found libc1.
        try fixture.program("second", needs: ["l/libsibling.so", "l/liba.so"], [Self.runpath + fixture.path + "/l"])
        try fixture.expectAgreement("second")
        #expect(try fixture.closure("second").unresolved.map(\.neededBy.name) == ["libsibling.so"])
    }

    @Test("Where an object has both tags its DT_RPATH is forgotten, for what it needs and for others")
    func bothTags() throws {
        let fixture = try Fixture()
        try fixture.library("l/libb.so")
        try fixture.library("l/liba.so", needs: ["l/libb.so"])
        // The second element, of which the rest of the string is the first: DT_RPATH is made to begin there.
        let first = "/nowhere"
        try fixture.program(needs: ["l/liba.so"], [Self.runpath + "\(first):\(fixture.path)/l"])
        #expect(try fixture.closure().unresolved.map(\.name) == ["libb.so"])
        try fixture.addRpath("prog", from: first.utf8.count + 1)
        let dynamic = try Tool.succeed("readelf", ["-dW", fixture.path + "/prog"]).text
        #expect(dynamic.contains("(RPATH)") && dynamic.contains("(RUNPATH)"))
        try fixture.expectAgreement()
        #expect(try fixture.closure().unresolved.map(\.name) == ["libb.so"])
    }

    @Test("libc by its path is the same file, loaded once; the kernel's own object is no file")
    func namesOfLoadedObjects() throws {
        let fixture = try Fixture()
        try fixture.program()
        let libc = try #require(try fixture.closure().edges.first { $0.name == "libc.so.6" })
        try fixture.patch("prog", ["--add-needed", libc.openedAs.description])
        try fixture.expectAgreement()
        let files = try fixture.closure().files.filter { if case .file = $0.kind { true } else { false } }
        #expect(files.count == 3)
        try fixture.patch("prog", ["--add-needed", "linux-vdso.so.1"])
        try fixture.expectAgreement()
    }

    @Test("What a library without DF_1_NODEFLIB finds does not make up for one with it")
    func noDefaultLibraries() throws {
        let fixture = try Fixture()
        try fixture.program("l/libplain.so", source: "int plain(void) { return 0; }", ["-shared", "-fPIC"])
        try fixture.program(
            needs: ["l/libplain.so"], [Self.runpath + fixture.path + "/l", "-Wl,-z,nodefaultlib"])
        let closure = try fixture.closure()
        let truth = try LoaderAnswer(asking: fixture.path + "/prog")
        #expect(truth.missing == ["libc.so.6"])
        #expect(closure.unresolved.map(\.name) == ["libc.so.6"])
        #expect(closure.unresolved.map(\.neededBy) == closure.programs.map(\.path))
        #expect(
            closure.files.contains { $0.path.name == "libc.so.6" }
                == truth.files.contains { $0.hasSuffix("/libc.so.6") })
    }

    @Test(
        "A library path is searched as LD_LIBRARY_PATH is, behind DT_RPATH and before DT_RUNPATH",
        arguments: [runpath, rpath])
    func libraryPath(tag: String) throws {
        let fixture = try Fixture()
        for folder in ["own", "given", "second"] { try fixture.library("\(folder)/liba.so") }
        try fixture.library("second/libb.so")
        try fixture.program(needs: ["own/liba.so", "second/libb.so"], [tag + fixture.path + "/own"])
        var options = ResolveOptions()
        options.libraryPath = ResolveOptions.directories(of: ByteString("\(fixture.path)/given;\(fixture.path)/second"))
        try fixture.expectAgreement(options: options)
        #expect(
            try fixture.files(fixture.closure(options: options)).first
                == (tag == Self.rpath ? "own/liba.so" : "given/liba.so"))
    }

    @Test("A program without a C library, as Go makes them, needs nothing")
    func freestanding() throws {
        let fixture = try Fixture()
        try fixture.program(
            source: "void _start(void) { for (;;); }", ["-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none"])
        let closure = try fixture.closure()
        #expect(closure.programs.map(\.kind) == [.staticExecutable])
        #expect(fixture.files(closure) == ["prog"] && closure.files.count == 1)
    }

    @Test("A 32-bit program passes by a 64-bit library of the name it needs", .enabled(if: isX86_64))
    func mixedClasses() throws {
        let fixture = try Fixture()
        try fixture.library("wide/liba.so")
        try fixture.library("narrow/liba.so", ["-m32"])
        try fixture.library(
            "libmain.so", needs: ["narrow/liba.so"],
            ["-m32", Self.runpath + "\(fixture.path)/wide:\(fixture.path)/narrow"])
        let closure = try fixture.closure("libmain.so")
        #expect(fixture.files(closure) == ["libmain.so", "narrow/liba.so"] && closure.isComplete)
    }

    @Test(
        "A setuid program finds by $ORIGIN what the real loader lets it find, below system directories",
        .enabled(if: isRoot, "chroot(2) and setuid need root"), .enabled(if: isX86_64),
        arguments: [
            ("/usr/lib/app", "$ORIGIN/l", true), ("/usr/lib/app", "${ORIGIN}", true), ("/opt/app", "$ORIGIN/l", false),
            ("/usr/lib/app", "$ORIGIN/../../../opt/app/l", false), ("/usr/lib/app", "/$ORIGIN/l", false),
            ("/usr/lib/app", "/opt/app/l", true), ("/usr/lib/app", "/usr/$LIB/x", true),
        ])
    func secureOrigin(folder: String, path: String, isFound: Bool) throws {
        let fixture = try Fixture()
        try fixture.library("l/liba.so")
        try fixture.program(needs: ["l/liba.so"], [Self.runpath + path])
        // A root of the machine's loader and libc, with the library wherever the search may come to.
        try fixture.program("plain", [])
        let root = try fixture.layOut(fixture.closure("plain"))
        let multiarch = try #require(try Tool.run("gcc", ["-print-multiarch"]).lines.first)
        for place in [folder + "/l", folder, "/opt/app/l", "/usr/lib/\(multiarch)/x"] {
            try Tool.succeed("install", ["-D", fixture.path + "/l/liba.so", root.path + place + "/liba.so"])
        }
        let program = root.path + folder + "/prog"
        try Tool.succeed("install", ["-D", "-m", "4755", fixture.path + "/prog", program])
        try Tool.succeed("chmod", ["755", root.path])
        let resolver = ClosureResolver(try SourceRoot(ByteString(root.path)))
        try resolver.add(ByteString(folder + "/prog"))
        #expect(resolver.closure().isComplete == isFound)
        // Not traced, which a setuid program does not allow, but started: it fails where a library is missing.
        let mount = try Tool.run("findmnt", ["--noheadings", "--output", "OPTIONS", "--target", root.path]).text
        guard !mount.contains("nosuid") else { return }
        // The loader asks /proc where the program lies.
        let real = try Tool.run(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-euc",
                "mkdir $0/proc; mount -t proc proc $0/proc; exec chroot --userspec=65534:65534 $0 $1", root.path,
                folder + "/prog",
            ])
        #expect((real.status == 0) == isFound, "\(real.errors)")
    }
}

extension Fixture {
    /// Gives `name` a DT_RPATH beside its DT_RUNPATH: the same string, from its byte `start` on, in the place of DT_DEBUG.
    fileprivate func addRpath(_ name: String, from start: Int) throws {
        let file = path + "/" + name
        let line = try #require(
            try Tool.succeed("readelf", ["-SW", file]).lines.first { $0.contains(" .dynamic ") })
        let fields = line.split(whereSeparator: { " []".contains($0) })
        let column = try #require(fields.firstIndex(of: ".dynamic"))
        let section = try #require(Int(fields[column + 3], radix: 16))
        let size = try #require(Int(fields[column + 4], radix: 16))
        var bytes = try Array(Data(contentsOf: URL(fileURLWithPath: file)))
        func number(_ place: Int) -> Int { (0..<8).reversed().reduce(0) { $0 << 8 | Int(bytes[place + $1]) } }
        func put(_ value: Int, at place: Int) {
            for index in 0..<8 { bytes[place + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
        }
        let entries = stride(from: section, to: section + size, by: 16)
        let runpath = try #require(entries.first { number($0) == 29 })
        let debug = try #require(entries.first { number($0) == 21 })
        put(number(runpath + 8) + start, at: debug + 8)
        put(15, at: debug)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
    }
}
