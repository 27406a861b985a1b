import Bytes
import LayerStore
import Loader
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

/// The check of composed trees; programs are made by gcc.
struct CheckRootTests {
    let fixture: SourceFixture

    init() throws {
        fixture = try SourceFixture(
            """
            echo 'int b(void) { return 3; }' > b.c
            echo 'int b(void); int a(void) { return b(); }' > a.c
            echo 'int a(void); int main(void) { return a(); }' > prog.c
            gcc -shared -fPIC -nostdlib -Wl,-soname,libb.so.1 -o libb.so.1 b.c
            gcc -shared -fPIC -nostdlib -Wl,-soname,liba.so.1 -o liba.so.1 a.c ./libb.so.1
            gcc -shared -fPIC -nostdlib -o plugin.so -Wl,-soname,plugin.so a.c ./libb.so.1
            gcc -o prog prog.c ./liba.so.1 -Wl,-rpath-link,. -Wl,-rpath,/opt/lib
            patchelf --set-rpath /opt/lib liba.so.1
            for v in 1 2; do
                echo "V$v { global: b; };" > v$v.map
                gcc -shared -fPIC -nostdlib -Wl,-soname,libb.so.1 -Wl,--version-script,v$v.map -o libb$v.so.1 b.c
            done
            gcc -o versioned -x c - -L. -l:libb2.so.1 -Wl,-rpath,/opt/lib <<C
            int b(void); int main(void) { return b(); }
            C
            printf '#!/opt/bin/tool -x\\n' > script
            printf '#!/usr/bin/env tool\\n' > envscript
            printf 'just text\\n' > text
            printf '#!\\n' > emptyline
            head -c 40 prog > cut
            chmod +x script envscript text emptyline cut
            """)
        // What every C program needs: the loader, libc and the links to them.
        try add("base") { $0.programs = ["sh"] }
    }

    @discardableResult
    private func add(_ name: String, _ fill: (inout AddRequest) throws -> Void) throws -> AddLayers.Addition {
        try fixture.addition { request in
            request.name = try Name(name)
            try fill(&request)
        }
    }

    private func add(_ name: String, files: [String]) throws {
        try add(name) { $0.files = try files.map { try fixture.mapping("@/" + $0) } }
    }

    private func check(_ expression: String) throws -> RootCheck {
        try CheckRoot(fixture.kit.workspace).run(RootExpression(expression))
    }

    /// The first line of each problem, without what comes after the semicolon.
    private func problems(_ expression: String) throws -> [String] {
        try check(expression).problems.map { "\($0)".split(separator: ";").map(String.init)[0] }
    }

    static let cases: [(files: [String], problems: [String])] = [
        (["prog:/opt/bin/prog", "liba.so.1:/opt/lib/liba.so.1", "libb.so.1:/opt/lib/libb.so.1"], []),
        (["prog:/opt/bin/prog", "liba.so.1:/opt/lib/liba.so.1"], ["libb.so.1: not found"]),
        (["prog:/opt/bin/prog", "libb.so.1:/opt/lib/libb.so.1"], ["liba.so.1: not found"]),
        // Somewhere is not where the loader looks.
        (
            ["prog:/opt/bin/prog", "liba.so.1:/opt/lib/liba.so.1", "libb.so.1:/srv/libb.so.1"],
            ["libb.so.1: not found"]
        ),
        (["versioned:/opt/bin/v", "libb2.so.1:/opt/lib/libb.so.1"], []),
        (
            ["versioned:/opt/bin/v", "libb1.so.1:/opt/lib/libb.so.1"],
            ["libb.so.1: found, but without the symbol versions V2"]
        ),
        // A library without any versions will do, as for the loader.
        (["versioned:/opt/bin/v", "libb.so.1:/opt/lib/libb.so.1"], []),
        (["script:/s"], ["/opt/bin/tool: not found"]),
        (["script:/s", "script:/opt/bin/tool"], ["/opt/bin/tool: more than 5 scripts interpret each other"]),
        (["envscript:/s", "text:/srv/tool"], ["/usr/bin/env: not found", "tool: not found"]),
        // What only a shell would run, and data, is nobody's program.
        (["text:/t", "prog.c:/p"], []),
        (["emptyline:/s"], ["/s: "]),
        (["cut:/cut"], ["/cut: "]),
        // A plugin is looked at although nothing loads it.
        (["plugin.so:/opt/plugin.so"], ["libb.so.1: not found"]),
        // What it needs may be loaded by then, if the root has it at all.
        (["plugin.so:/opt/plugin.so", "libb.so.1:/srv/libb.so.1"], []),
        (["plugin.so:/opt/plugin.so", "libb.so.1:/usr/lib/libb.so.1"], []),
    ]

    @Test("What does not resolve inside the root is found", arguments: cases)
    func tables(files: [String], problems expected: [String]) throws {
        try add("more", files: files)
        let found = try problems("base+more")
        #expect(found.count == expected.count, "\(found)")
        for (found, expected) in zip(found, expected) { #expect(found.hasPrefix(expected)) }
    }

    @Test("The root's own files are looked into, never the machine's")
    func nothingOfTheMachine() throws {
        try add("alone", files: ["prog:/usr/bin/prog"])
        // This machine has a loader and a libc.
        #expect(try problems("alone") == ["/lib64/ld-linux-x86-64.so.2: not found"])
        #expect(try check("alone").problems[0].programs.map(\.description) == ["/usr/bin/prog"])
        #expect(try check("base").isSound && check("base").examined > 0)
    }

    @Test("One library that lacks something is told of once, with its programs")
    func grouping() throws {
        try add("more", files: ["liba.so.1:/opt/lib/liba.so.1"] + (1...4).map { "prog:/opt/bin/prog\($0)" })
        let check = try check("base+more")
        #expect(check.problems.count == 1)
        #expect(check.problems[0].programs.map(\.description) == (1...4).map { "/opt/bin/prog\($0)" })
        #expect("\(check.problems[0])".hasSuffix("needed of /opt/lib/liba.so.1, for /opt/bin/prog1 and 3 more"))
    }

    @Test("The image's environment and command count")
    func configuration() throws {
        try add("more", files: ["prog:/opt/bin/prog", "liba.so.1:/srv/a/liba.so.1", "libb.so.1:/srv/b/libb.so.1"])
        #expect(try problems("base+more") == ["liba.so.1: not found"])
        let compose = ComposeImage(fixture.kit.workspace)
        var settings = ImageSettings()
        settings.environment = ["LD_LIBRARY_PATH=/srv/a:/srv/b"]
        settings.command = ["sh"]
        let result = try compose.run(
            RootExpression("base+more"), as: Name("good"), settings: settings, onConflict: nil, strict: true)
        #expect(result.check.isSound)
        #expect(try check("good").isSound)
        settings.command = ["nothing-like-it"]
        #expect(throws: UnsoundRoot.self) {
            try compose.run(
                RootExpression("base+more"), as: Name("bad"), settings: settings, onConflict: nil, strict: true)
        }
        #expect(throws: LayerFSError.self) { try fixture.kit.workspace.select(RootExpression("bad")) }
        // Without being strict it is stored, and the check says so.
        let lax = try compose.run(RootExpression("base+more"), as: Name("bad"), settings: settings, onConflict: nil)
        #expect(lax.outcome == .created && lax.check.problems.count == 1)
        #expect(try "\(check("bad").problems[0])".hasPrefix("the root's command nothing-like-it: "))
    }

    @Test("A content that was changed in the store is reported as damage, not as a problem of the root")
    func damage() throws {
        try add("more", files: ["prog:/opt/bin/prog"])
        let tree = try fixture.kit.workspace.compose(fixture.kit.workspace.select(RootExpression("more"))).tree
        guard case .file(let digest, _)? = tree.destination(of: "/opt/bin/prog")?.kind else {
            Issue.record("the layer has no program")
            return
        }
        let hex = "\(digest)".dropFirst("sha256:".count)
        try fixture.run("printf x >> ../store/blobs/sha256/\(hex.prefix(2))/\(hex.dropFirst(2))")
        #expect(throws: LayerStoreError.self) { try check("base+more") }
    }
}
