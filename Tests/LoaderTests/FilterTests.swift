import Bytes
import Loader
import TestSupport
import Testing

@Suite(.enabled(if: Fixture.isPossible, "needs gcc"))
struct FilterTests {
    private func runpath(_ fixture: Fixture) -> String { "-Wl,--enable-new-dtags,-rpath,\(fixture.path)/l" }

    @Test("A filter's object is needed; an auxiliary one may be absent")
    func filters() throws {
        let fixture = try Fixture()
        try fixture.library("l/libreal.so")
        try fixture.library("l/libf.so", [runpath(fixture), "-Wl,-F,libreal.so"])
        try fixture.library("l/libx.so", [runpath(fixture), "-Wl,-f,libabsent.so"])
        try fixture.program(needs: ["l/libf.so", "l/libx.so"], [runpath(fixture)])
        let closure = try fixture.closure()
        #expect(closure.isComplete)
        #expect(fixture.files(closure) == ["l/libf.so", "l/libreal.so", "l/libx.so", "prog"])
        #expect(closure.edges.first { $0.kind == .filter }?.name == "libreal.so")
        #expect(
            closure.notes.contains {
                if case .optionalMissing("libabsent.so", .auxiliary, _) = $0 { true } else { false }
            })
        // The trace calls the absent auxiliary "not found"; the program starts all the same.
        #expect(try LoaderAnswer(asking: fixture.path + "/prog").missing == ["libabsent.so"])
        #expect(try Tool.run(path: fixture.path + "/prog").status == 0)
        try fixture.remove("l/libreal.so")
        #expect(try fixture.closure().unresolved.map(\.kind) == [.filter])
    }

    @Test("A filter's object goes before the filter, and its own needs are found")
    func filterOrder() throws {
        let fixture = try Fixture()
        try fixture.library("l/libdeep.so")
        try fixture.library("l/libreal.so", needs: ["l/libdeep.so"], [runpath(fixture)])
        try fixture.library("l/libf.so", [runpath(fixture), "-Wl,-F,libreal.so"])
        try fixture.library("l/liblate.so", needs: ["l/libreal.so"], [runpath(fixture)])
        try fixture.program(needs: ["l/liblate.so", "l/libf.so", "l/libreal.so"], [runpath(fixture)])
        try fixture.expectAgreement()
        #expect(try fixture.closure().isComplete)
    }

    @Test("Auditing libraries are taken, with their needs, and labelled")
    func auditors() throws {
        let fixture = try Fixture()
        try fixture.library("l/libdeep.so")
        try fixture.library("l/libaudit.so", needs: ["l/libdeep.so"], [runpath(fixture)])
        try fixture.program([runpath(fixture), "-Wl,--audit,libaudit.so", "-Wl,--depaudit,libnone.so"])
        let closure = try fixture.closure()
        #expect(closure.isComplete)
        #expect(fixture.files(closure) == ["l/libaudit.so", "l/libdeep.so", "prog"])
        #expect(closure.edges.first { $0.kind == .audit }?.name == "libaudit.so")
        #expect(
            closure.notes.contains {
                if case .optionalMissing("libnone.so", .audit, _) = $0 { true } else { false }
            })
    }
}

extension Fixture {
    func program(_ flags: [String]) throws { try program("prog", needs: [], flags) }
}
