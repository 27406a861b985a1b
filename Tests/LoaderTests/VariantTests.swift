import Bytes
import Loader
import TestSupport
import Testing

@Suite(.enabled(if: Fixture.isPossible, "needs gcc"), .enabled(if: isX86_64, "the levels are those of x86-64"))
struct VariantTests {
    private func fixture(levels: [String], baseline: Bool = true) throws -> Fixture {
        let fixture = try Fixture()
        try fixture.library("l/liba.so")
        try fixture.program(needs: ["l/liba.so"], ["-Wl,--enable-new-dtags,-rpath,\(fixture.path)/l"])
        for level in levels { try fixture.library("l/glibc-hwcaps/\(level)/liba.so") }
        if !baseline { try fixture.remove("l/liba.so") }
        return fixture
    }

    private func options(_ policy: ResolveOptions.VariantPolicy) -> ResolveOptions {
        var options = ResolveOptions()
        options.variants = policy
        return options
    }

    @Test("Portable takes the plain library and every variant; none only the plain one; levels the best of them")
    func policies() throws {
        let fixture = try fixture(levels: ["x86-64-v2", "x86-64-v3", "x86-64-v4"])
        let variants = ["v2", "v3", "v4"].map { "l/glibc-hwcaps/x86-64-\($0)/liba.so" }
        #expect(try fixture.files(fixture.closure()) == variants + ["l/liba.so", "prog"])
        #expect(try fixture.files(fixture.closure(options: options(.none))) == ["l/liba.so", "prog"])
        let two = options(.levels(["x86-64-v2", "x86-64-v3"]))
        #expect(try fixture.files(fixture.closure(options: two)) == [variants[1], "l/liba.so", "prog"])
        let edges = try fixture.closure().edges.filter { $0.name == "liba.so" }
        #expect(
            edges.map(\.variant) == [
                nil, "glibc-hwcaps/x86-64-v2", "glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v4",
            ])
    }

    @Test("What this machine's loader takes is among what portable takes")
    func machine() throws {
        let fixture = try fixture(levels: ["x86-64-v2", "x86-64-v3", "x86-64-v4"])
        let truth = try LoaderAnswer(asking: fixture.path + "/prog")
        let paths = Set(try fixture.closure().files.map(\.path.description))
        #expect(truth.files.isSubset(of: paths))
    }

    @Test("What only a variant needs is taken too")
    func needOfVariant() throws {
        let fixture = try fixture(levels: [])
        try fixture.library("l/glibc-hwcaps/x86-64-v3/libextra.so")
        try fixture.library(
            "l/glibc-hwcaps/x86-64-v3/liba.so", needs: ["l/glibc-hwcaps/x86-64-v3/libextra.so"],
            ["-Wl,-rpath,\(fixture.path)/l"])
        #expect(
            try fixture.files(fixture.closure()) == [
                "l/glibc-hwcaps/x86-64-v3/liba.so", "l/glibc-hwcaps/x86-64-v3/libextra.so", "l/liba.so", "prog",
            ])
    }

    @Test("Portable refuses a library that exists only as a variant")
    func onlyVariant() throws {
        let fixture = try fixture(levels: ["x86-64-v3"], baseline: false)
        let closure = try fixture.closure()
        let path = ByteString(fixture.path + "/l/glibc-hwcaps/x86-64-v3/liba.so")
        #expect(closure.unresolved.map(\.cause) == [.onlyVariants([path])])
        #expect(try fixture.closure(options: options(.levels(["x86-64-v3"]))).isComplete)
    }

    @Test(
        "Directories named by the platform are searched before glibc 2.37 only",
        arguments: ["tls", "x86_64", "tls/x86_64"])
    func legacyDirectories(directory: String) throws {
        let fixture = try fixture(levels: [])
        try fixture.library("l/\(directory)/liba.so")
        // Whether or not this machine's loader does.
        try fixture.expectAgreement(options: options(.none))
    }
}
