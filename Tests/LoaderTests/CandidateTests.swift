import Bytes
import Loader
import TestSupport
import Testing

@Suite(.enabled(if: Fixture.isPossible, "needs gcc"))
struct CandidateTests {
    /// A program that needs liba.so, with `bad/` searched before `good/`.
    private func fixture() throws -> Fixture {
        let fixture = try Fixture()
        try fixture.library("good/liba.so")
        try fixture.program(
            needs: ["good/liba.so"],
            ["-Wl,--enable-new-dtags,-rpath,\(fixture.path)/bad:\(fixture.path)/good"])
        return fixture
    }

    @Test(
        "A library of another class or machine is passed by", .enabled(if: isX86_64), arguments: ["class", "machine"])
    func otherMachine(what: String) throws {
        let fixture = try fixture()
        if what == "class" {
            try fixture.library("bad/liba.so", ["-m32"])
        } else {
            try fixture.library("bad/liba.so")
            try fixture.poke("bad/liba.so", at: 18, 183)
        }
        try fixture.expectAgreement()
        #expect(try fixture.files(fixture.closure()) == ["good/liba.so", "prog"])
    }

    @Test(
        "A file that is no ELF file ends the search for good, as ld.so does",
        arguments: [
            ("empty", LoadFault.tooShort), ("script", .notELF), ("byte order", .wrongByteOrder), ("type", .notLoadable),
            ("ABI", .invalidABI(osABI: 9, version: 0)), ("directory", .notRegularFile),
        ])
    func fatal(what: String, fault: LoadFault) throws {
        let fixture = try fixture()
        switch what {
        case "empty": try fixture.write("bad/liba.so", "")
        case "script":
            try fixture.write(
                "bad/liba.so", "/* GNU ld script */ GROUP ( /lib/libreal.so.1 )" + String(repeating: " ", count: 64))
        case "directory": try fixture.makeDirectory("bad/liba.so")
        default:
            try fixture.library("bad/liba.so")
            let (offset, value): (Int, UInt8) = ["byte order": (5, 2), "type": (16, 1), "ABI": (7, 9)][what] ?? (0, 0)
            try fixture.poke("bad/liba.so", at: offset, value)
        }
        let missing = try #require(try fixture.closure().unresolved.first)
        #expect(missing.name == "liba.so")
        #expect(missing.cause == .unusable)
        #expect(missing.attempts.last?.rejection == .unusable(fault))
        // The real loader fails too, and lists nothing.
        let real = try Tool.run("env", ["-i", "LD_TRACE_LOADED_OBJECTS=1", fixture.path + "/prog"])
        #expect(real.status != 0)
        #expect(real.errors.contains("bad/liba.so"))
    }

    @Test("A program is not a library", .enabled(if: Tool.isAvailable("patchelf")))
    func fixedAddressProgram() throws {
        let fixture = try fixture()
        try fixture.program("bad/liba.so", ["-no-pie"])
        let missing = try #require(try fixture.closure().unresolved.first)
        #expect(missing.attempts.last?.rejection == .unusable(.fixedAddressExecutable))
        #expect(try Tool.run("env", ["-i", "LD_TRACE_LOADED_OBJECTS=1", fixture.path + "/prog"]).status != 0)
    }

    @Test("A link that leads nowhere is passed by; one that leads to itself ends that list only")
    func brokenLinks() throws {
        let fixture = try fixture()
        try fixture.link("bad/liba.so", to: "nowhere")
        try fixture.expectAgreement()
        #expect(try fixture.closure().isComplete)
        try fixture.remove("bad/liba.so")
        try fixture.link("bad/liba.so", to: "liba.so")
        try fixture.expectAgreement()
        #expect(!(try fixture.closure().isComplete))
    }
}

extension Fixture {
    /// Sets one byte of a file.
    func poke(_ name: String, at offset: Int, _ value: UInt8) throws {
        let octal = "\\0" + String(value, radix: 8)
        let result = try Tool.run(
            "sh", ["-c", "printf '\(octal)' | dd of='\(path)/\(name)' bs=1 seek=\(offset) conv=notrunc status=none"])
        try #require(result.status == 0, "\(result.errors)")
    }
}
