import Bytes
import Foundation
import LayerStore
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

struct PresetTests {
    /// A root with the host files of every preset.
    static func fixture(_ more: String = "") throws -> SourceFixture {
        try SourceFixture(
            """
            mkdir -p etc/ssl/certs usr/share/ca-certificates usr/lib/ssl usr/share/zoneinfo/Etc usr/lib/locale/C.utf8 etc/ssl/private usr/lib/gconv
            for t in a/ansi d/dumb l/linux r/rxvt s/screen s/screen-256color t/tmux t/tmux-256color v/vt100 v/vt102 v/vt220 \
                x/xterm x/xterm-256color x/xterm-color; do mkdir -p lib/terminfo/${t%/*}; echo $t > lib/terminfo/$t; done
            mkdir -p etc/terminfo/x; echo own > etc/terminfo/x/xterm
            echo bundle > etc/ssl/certs/ca-certificates.crt; echo conf > etc/ssl/openssl.cnf
            echo one > usr/share/ca-certificates/one.crt; ln -s /usr/share/ca-certificates/one.crt etc/ssl/certs/one.pem
            ln -s one.pem etc/ssl/certs/12345678.0; echo local > etc/ssl/certs/snakeoil.pem; ln -s gone etc/ssl/certs/dangling.pem
            ln -s /etc/ssl/certs usr/lib/ssl/certs
            echo utc > usr/share/zoneinfo/Etc/UTC; ln -s /usr/share/zoneinfo/Etc/UTC etc/localtime
            echo c > usr/lib/locale/C.utf8/LC_CTYPE; echo m > usr/lib/gconv/M.so; echo s > etc/services; echo p > etc/protocols
            echo 'root:x:0:0:the host:/root:/bin/zsh' > etc/passwd; echo 'root:hash' > etc/shadow
            \(more)
            """)
    }

    static func layers(_ fixture: SourceFixture, _ presets: [String]) throws -> [LayerRequest] {
        var request = AddRequest()
        request.presets = presets
        request.allowed = [ByteString(fixture.directory)]
        return try PlanLayers(root: ByteString(fixture.directory), searchPath: []).run(request)
    }

    static func tree(_ fixture: SourceFixture, _ preset: String) throws -> Tree {
        let layers = try layers(fixture, [preset])
        return try AddLayers(fixture.kit.workspace, root: ByteString(fixture.directory)).run(layers)[0].tree
    }

    @Test(arguments: Preset.all.map(\.name))
    func everyPresetMakesALayerOfItsName(_ name: String) throws {
        let fixture = try Self.fixture()
        let layers = try Self.layers(fixture, [name])
        #expect(layers.map(\.name.text) == [name])
        let tree = try AddLayers(fixture.kit.workspace, root: ByteString(fixture.directory)).run(layers)[0].tree
        #expect(tree.entries.count > 2)
        #expect(try tree[TreePath("/etc/shadow")] == nil && tree[TreePath("/etc/ssl/private")] == nil)
    }

    @Test func allOfThemAgreeInOneLayer() throws {
        let fixture = try Self.fixture()
        var request = AddRequest()
        request.presets = Preset.all.map(\.name)
        request.name = try Name("all")
        request.allowed = [ByteString(fixture.directory)]
        let layers = try PlanLayers(root: ByteString(fixture.directory), searchPath: []).run(request)
        let tree = try AddLayers(fixture.kit.workspace, root: ByteString(fixture.directory)).run(layers)[0].tree
        #expect(tree[try TreePath("/tmp")]?.metadata.mode == 0o1777)
        #expect(tree[try TreePath("/dev/null")]?.kind == .characterDevice(major: 1, minor: 3))
    }

    @Test func usersAreMadeUpAndNeverTheHosts() throws {
        let fixture = try Self.fixture()
        let tree = try Self.tree(fixture, "base")
        guard case .file(let digest, _)? = tree[try TreePath("/etc/passwd")]?.kind else {
            Issue.record("no passwd")
            return
        }
        let text = try fixture.kit.workspace.store.blobs.bytes(of: digest, limit: 1000, wantedBy: "a test")
        #expect(!String(decoding: text, as: UTF8.self).contains("zsh"))
        #expect(
            String(decoding: text, as: UTF8.self).split(separator: "\n").map { $0.prefix { $0 != ":" } } == [
                "root", "nobody",
            ])
    }

    @Test func certificatesAreThoseOfPackagesWithTheLinksThatLeadToThem() throws {
        let paths = SourceFixture.paths(try Self.tree(Self.fixture(), "certs"))
        for path in [
            "/etc/ssl/certs/12345678.0", "/etc/ssl/certs/one.pem", "/usr/share/ca-certificates/one.crt",
            "/usr/lib/ssl/certs",
            "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/openssl.cnf",
        ] { #expect(paths.contains(path), "\(path)") }
        #expect(!paths.contains { $0.contains("snakeoil") || $0.contains("dangling") })
    }

    @Test func aTerminalIsDescribedWhereNcursesLooksFirst() throws {
        let paths = SourceFixture.paths(try Self.tree(Self.fixture(), "terminfo"))
        #expect(paths.contains("/etc/terminfo/x/xterm") && !paths.contains("/lib/terminfo/x/xterm"))
        #expect(paths.contains("/lib/terminfo/x/xterm-256color"))
    }

    @Test func conversionsAreThoseOfEveryLibraryDirectory() throws {
        let fixture = try Self.fixture(
            "for d in lib64 lib lib/x86_64-linux-gnu lib/odd; do mkdir -p usr/$d/gconv/gconv-modules.d; echo m > usr/$d/gconv/M.so; done"
        )
        let paths = SourceFixture.paths(try Self.tree(fixture, "gconv")).filter { $0.hasSuffix("M.so") }
        #expect(paths == ["lib/gconv", "lib/x86_64-linux-gnu/gconv", "lib64/gconv"].map { "/usr/\($0)/M.so" })
    }

    @Test(arguments: [
        ("certs", "rm etc/ssl/certs/ca-certificates.crt", "ca-certificates"),
        ("certs", "rm etc/ssl/openssl.cnf", "openssl"),
        ("tz", "rm -r usr/share/zoneinfo/*; rm etc/localtime", "tzdata"),
        ("locale", "rm -r usr/lib/locale", "libc-bin"),
        ("terminfo", "rm lib/terminfo/d/dumb", "ncurses-base"), ("nss", "rm etc/protocols", "netbase"),
        ("gconv", "rm -rf usr/lib/gconv", "libc6 (in newer releases libc6-gconv)"),
    ])
    func whatIsMissingNamesThePackageThatBringsIt(_ preset: String, _ damage: String, _ package: String) throws {
        let fixture = try Self.fixture(damage)
        #expect { try Self.layers(fixture, [preset]) } throws: { error in
            guard case LayerFSError.incompletePreset(preset, _, let named) = error else { return false }
            return "\(named)" == package
        }
    }

    @Test func thereIsNoOtherPreset() throws {
        #expect { try Self.layers(Self.fixture(), ["cert"]) } throws: {
            if case LayerFSError.unknownPreset = $0 { "\($0)".contains("certs") } else { false }
        }
    }

    @Test func aPresetOfTheHostIsHeldToTheDenyList() throws {
        let fixture = try Self.fixture(
            "rm etc/localtime; ln -s /home/me/zone etc/localtime; mkdir -p home/me; echo z > home/me/zone")
        var request = AddRequest()
        request.presets = ["tz"]
        #expect { try PlanLayers(root: ByteString(fixture.directory), searchPath: []).run(request) } throws: {
            DenyListTests.rules($0) == ["/home/me/zone home"]
        }
    }

    @Test(
        arguments: [
            (["libssl.so.3", "libc.so.6"], [], "certs"), (["libtinfo.so.6", "libcrypto.so.3"], [], "certs,terminfo"),
            (["libtinfo.so.6"], ["terminfo"], nil), (["libc.so.6", "libsslx.so.1", "libssl"], [], "certs"),
            (["libm.so.6"], [], nil),
        ] as [([ByteString], [String], String?)])
    func oneLineNamesThePresetsThatAClosureSuggests(_ sonames: [ByteString], _ taken: [String], _ expected: String?)
        throws
    {
        var plan = LayerPlan()
        plan.presets = taken
        plan.edges = sonames.map {
            Provenance.Edge(from: .root, to: .root, kind: "needed", name: $0, found: nil)
        }
        let line = PresetHint.line(for: [LayerRequest(name: try Name("x"), plan: plan, source: "")])
        #expect(line.map { $0.contains("--with \(expected ?? "") adds") && !$0.contains("\n") } ?? (expected == nil))
        #expect((line == nil) == (expected == nil))
    }
}
