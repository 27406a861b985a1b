import Bytes
import Digests
import LayerStore
import Testing
import Trees

@testable import LayerFSKit

struct WhyTests {
    static func path(_ text: String) throws -> TreePath { try TreePath(ByteString(text)) }

    static func edge(_ from: String?, _ to: String, _ kind: String = "needed", via: [String]? = nil) throws
        -> Provenance.Edge
    {
        Provenance.Edge(
            from: try from.map { try path($0) }, to: try path(to), kind: kind, name: nil, found: nil,
            via: try via.map { try $0.map { try path($0) } })
    }

    static func provenance() throws -> Provenance {
        Provenance(
            requests: [],
            files: try [("/p", nil), ("/a", nil), ("/b", nil), ("/l", nil), ("/k", "package k"), ("/g", "preset g")].map
            {
                Provenance.Origin(
                    path: try path($0), source: nil, package: nil, origin: $1, isGenerated: $0 == "/g" ? true : nil)
            },
            edges: [
                try edge(nil, "/p", "program"), try edge("/p", "/a"), try edge("/a", "/b", via: ["/l"]),
                try edge("/b", "/a"), try edge("/p", "/c"), try edge("/c", "/b"), try edge("/k", "/d"),
                try edge("/d", "/e"),
                try edge("/x", "/y"), try edge("/y", "/x"), try edge("/b", "/p", via: ["/l"]),
            ])
    }

    @Test(
        arguments: [
            ("/p", ["program"]), ("/a", ["program", "/p>/a"]), ("/b", ["program", "/p>/a", "/a>/b"]),
            ("/l", ["program", "/p>/a", "/a>/b"]), ("/e", ["/k>/d", "/d>/e"]), ("/k", nil), ("/x", nil), ("/none", nil),
        ] as [(String, [String]?)])
    func theShortestChainFromWhatWasAskedFor(_ target: String, _ expected: [String]?) throws {
        let edges = try ProvenanceChain(Self.provenance()).edges(to: Self.path(target))
        #expect(edges?.map { edge in edge.from.map { "\($0)>\(edge.to)" } ?? edge.kind } == expected)
    }

    @Test func aPathIsExplainedInEveryLayerThatHasIt() throws {
        let fixture = try SourceFixture("mkdir d; echo 1 > d/f")
        let planner = PlanLayers(searchPath: ["/usr/bin", "/bin"])
        var request = try fixture.request { $0.programs = ["sh"] }
        request.directories = [try fixture.mapping("@/d:/data")]
        request.programPresets = ["base"]
        _ = try AddLayers(fixture.kit.workspace).run(planner.run(request))
        try fixture.kit.add("other", ["/data/f": .file("1\n")])
        let why = WhyPath(fixture.kit.workspace)
        let expression = try RootExpression("layer")

        let file = try why.run(expression, "/data/f")
        #expect(file.kind == "file" && file.layers.map(\.layer) == ["layer"])
        #expect(file.layers[0].origin?.hasPrefix("directory ") == true && file.layers[0].chain.isEmpty)
        #expect(file.layers[0].source?.hasSuffix("/d/f") == true)

        let made = try why.run(expression, "/etc/passwd").layers[0]
        #expect(made.isGenerated && made.source == nil && made.origin == "preset base")

        let directory = try why.run(expression, "/data").layers[0]
        #expect(directory.example == "/data/f" && directory.origin?.hasPrefix("directory ") == true)

        let tree = try fixture.kit.workspace.store.tree(
            of: fixture.kit.workspace.select(expression).layers[0].record)
        let libc = try #require(tree.entries.first { $0.path.name == "libc.so.6" })
        let library = try why.run(expression, libc.path.bytes).layers[0]
        #expect(library.chain.first?.from == nil && library.chain.last?.to == libc.path.description)
        #expect(library.origin == nil && library.source == libc.path.description)

        for path in ["/none", "relative", "/data/f/x", "", "/../etc", "/etc/passwd\u{0}"] {
            #expect { try why.run(expression, ByteString(path)) } throws: {
                if case LayerFSError.noSuchPath = $0 { true } else { false }
            }
        }
    }

    @Test func linksOnTheWayAreFollowedInTheRootAndALastOneIsNot() throws {
        let tree = try KitFixture().add(
            "t",
            [
                "/usr/lib/x": .file("1"), "/lib": .link("usr/lib"), "/up": .link("usr/lib/../../usr/lib"),
                "/loop": .link("loop"), "/out": .link("../../usr"), "/file": .file("2"),
            ])
        for (path, place) in [
            ("/lib/x", "/usr/lib/x"), ("/lib", "/lib"), ("/up/x", "/usr/lib/x"), ("/loop/x", nil),
            ("/out/lib/x", "/usr/lib/x"),
            ("/file/x", nil), ("/", "/"), ("/lib/none", "/usr/lib/none"),
        ] as [(String, String?)] {
            #expect(tree.place(of: try Self.path(path))?.description == place, "\(path)")
        }
    }

    @Test func aLayerWithoutProvenanceIsNamedAllTheSame() throws {
        let fixture = try KitFixture()
        try fixture.add("t", ["/f": .file("1")])
        let answer = try WhyPath(fixture.workspace).run(RootExpression("t"), "/f")
        #expect(answer.layers.map(\.layer) == ["t"] && answer.layers[0].chain.isEmpty && answer.layers[0].source == nil)
    }
}
