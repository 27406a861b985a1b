import Bytes
import Loader
import TestSupport
import Testing

struct PreloadTests {
    private func options(including: Bool) -> ResolveOptions {
        var options = ResolveOptions()
        options.includesPreloads = including
        return options
    }

    @Test("The root's preloaded libraries are told, and taken on request; one that is absent is noted")
    func requested() throws {
        let root = try ForeignRoot(Machine.all[0])
        try root.library("opt/libp.so", needed: ["libdeep.so"])
        try root.library("usr/lib/libdeep.so")
        try root.program(needed: [])
        try root.write("etc/ld.so.preload", Array("# /opt/none.so\n/opt/libp.so:libgone.so\t# x\n".utf8))
        let told = try root.closure(options: options(including: false))
        #expect(told.notes == [.preloadFile(libraries: ["/opt/libp.so", "libgone.so"])])
        #expect(told.edges.filter { $0.kind == .preload } == [])
        let taken = try root.closure(options: options(including: true))
        #expect(taken.isComplete)
        #expect(taken.edges.filter { $0.kind == .preload }.map(\.to.description) == ["/opt/libp.so"])
        #expect(taken.files.contains { $0.path.name == "libdeep.so" })
        #expect(
            taken.notes == [
                .optionalMissing(name: "libgone.so", kind: .preload, neededBy: try TreePath("/usr/bin/tool"))
            ])
    }

    @Test(
        "A preloaded library answers for a need of its soname, as with the real loader",
        .enabled(if: Fixture.isPossible && isX86_64, "needs gcc"), .enabled(if: isRoot, "chroot(2) needs root"))
    func realLoader() throws {
        let fixture = try Fixture()
        try fixture.library("l/liba.so", soname: "liba.so")
        try fixture.library("p/other.so", soname: "liba.so")
        try fixture.program(needs: ["l/liba.so"], ["-Wl,-rpath,\(fixture.path)/l"])
        try fixture.library("l/libpath.so")
        let root = try fixture.layOut(fixture.closure())
        _ = try Tool.run("mkdir", ["-p", root.path + "/etc", root.path + "/p"])
        _ = try Tool.run("cp", [fixture.path + "/p/other.so", root.path + "/p/"])
        try root.write("etc/ld.so.preload", Array("/p/other.so\n".utf8))
        let resolver = ClosureResolver(
            try SourceRoot(ByteString(root.path)), options: options(including: true))
        try resolver.add(ByteString(fixture.path + "/prog"))
        let libraries = resolver.closure().files.filter { if case .file = $0.kind { true } else { false } }
            .map(\.path.description).filter { $0.hasSuffix("liba.so") || $0.hasSuffix("other.so") }
        let real = try Tool.run(
            "chroot", [root.path, "/lib64/ld-linux-x86-64.so.2", "--list", fixture.path + "/prog"])
        #expect(real.status == 0)
        #expect(libraries == ["/p/other.so"])
        #expect(real.text.contains("/p/other.so"))
        #expect(!real.text.contains("/l/liba.so"))
    }
}
