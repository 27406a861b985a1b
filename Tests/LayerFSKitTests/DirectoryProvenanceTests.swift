import Bytes
import LayerStore
import Testing
import Trees

@testable import LayerFSKit

/// What is said of the files of directories that were taken whole.
struct DirectoryProvenanceTests {
    static func provenance(_ fixture: SourceFixture, _ fill: (inout AddRequest) throws -> Void) throws -> Provenance {
        let plan = try fixture.plan(fill)
        return Provenance(plan, owners: [:], tree: try fixture.tree(fill))
    }

    @Test func aDirectoryIsToldOnceAndWhatCameBesideItByItself() throws {
        let fixture = try SourceFixture("mkdir -p d/sub; echo 1 > d/f; echo 2 > d/sub/g; ln -s f d/l; echo 3 > other")
        let provenance = try Self.provenance(fixture) { request in
            request.directories = [try fixture.mapping("@/d:/data")]
            request.files = [try fixture.mapping("@/other:/data/sub/extra"), try fixture.mapping("@/d/f:/data/f")]
        }
        let source = ByteString(fixture.directory + "/d")
        #expect(provenance.directories?.map(\.path.description) == ["/data"])
        #expect(provenance.directories?.map(\.source) == [source])
        // The file that was named before the directory counts, though it is the same.
        #expect(provenance.files.map(\.path.description) == ["/data/f", "/data/sub/extra"])
        #expect(provenance.files.map(\.origin?.description).allSatisfy { $0?.hasPrefix("file ") == true })

        let origins = Provenance.Origins(provenance)
        #expect(try origins[TreePath("/data/sub/g")]?.source == source + "/sub/g")
        #expect(try origins[TreePath("/data/l")]?.origin?.hasPrefix("directory ") == true)
        #expect(try origins[TreePath("/else")] == nil)
    }

    @Test func aDirectoryThatCameFirstCountsBeforeAnotherWithTheSamePath() throws {
        let fixture = try SourceFixture("mkdir d e; echo 1 > d/f; echo 1 > e/f; echo 2 > e/g; touch -d @0 d/f e/f")
        let provenance = try Self.provenance(fixture) { request in
            request.directories = [try fixture.mapping("@/d:/data"), try fixture.mapping("@/e:/data")]
        }
        // Of one path the first directory tells; what came with the second is said of the file.
        #expect(provenance.files.map(\.path.description) == ["/data/g"])
        let origins = Provenance.Origins(provenance)
        #expect(try origins[TreePath("/data/f")]?.source == ByteString(fixture.directory + "/d/f"))
        #expect(try origins[TreePath("/data/g")]?.source == ByteString(fixture.directory + "/e/g"))
    }

    @Test func linksOfAMergedUsrAreNotTakenForFilesOfTheDirectory() throws {
        guard try UsrMerge.links(of: "/").contains(where: { $0.path.description == "/bin" }) else { return }
        let fixture = try SourceFixture("mkdir -p d/usr/bin; echo 1 > d/usr/bin/f")
        let provenance = try Self.provenance(fixture) { $0.directories = [try fixture.mapping("@/d:/")] }
        #expect(provenance.files.map(\.path.description) == ["/bin"])
        #expect(provenance.files.map(\.source) == [nil])
    }
}
