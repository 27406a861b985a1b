import Bytes
import Foundation
import LayerStore
import Posix
import SystemPackage
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

/// A walk by several threads finds what one thread finds, in the same order.
struct DirectoryWalkTests {
    private static let script = """
        for a in 1 2 3 4 5 6 7; do
            for b in x y z; do mkdir -p "$a/$b/deep er" "$a/$b-"; echo $a$b >"$a/$b/f"; echo $b >"$a/$b/deep er/g"; done
            ln -s ../1/x/f "$a/link"; mkfifo "$a/fifo"; mkdir "$a/.ssh"; echo >"$a/.ssh/id_rsa"
        done
        python3 -c 'import socket,sys; [socket.socket(socket.AF_UNIX).bind(f"{d}/s") for d in sys.argv[1:]]' 2 5
        """

    private func walk(_ fixture: SourceFixture, workers: Int) throws -> (walk: DirectoryWalk, denied: [ByteString]) {
        let filter = PlanFilter(
            excluding: [try PathGlob("y-"), try PathGlob("3/z")], try DenyList(home: nil, allowed: []))
        var walk = DirectoryWalk(
            try HostFiles(), filter, MetadataChange(), .directory("test"), workers: workers)
        try walk.walk(fixture.mapping("@:/in/layer"))
        var denied: [ByteString] = []
        do {
            try filter.check(LayerPlan())
        } catch {
            guard case .denied(let denials) = error else { throw error }
            denied = denials.map(\.path)
        }
        return (walk, denied)
    }

    @Test func theNumberOfWorkersChangesNothing() throws {
        let fixture = try SourceFixture(Self.script)
        let (one, denied) = try walk(fixture, workers: 1)
        let paths = Set(one.entries.map(\.path.description))
        #expect(paths.isSuperset(of: ["/in/layer", "/in/layer/1/x/deep er/g", "/in/layer/7/link", "/in/layer/4/z-"]))
        #expect(paths.isDisjoint(with: ["/in/layer/1/y-", "/in/layer/3/z", "/in/layer/3/z/f", "/in/layer/1/.ssh"]))
        #expect(denied.count == 7)
        #expect(one.skipped.text?.hasSuffix("a socket, and 1 more sockets or devices") == true)
        for workers in [2, 5] {
            let (other, otherDenied) = try walk(fixture, workers: workers)
            #expect(other.entries.map(\.path) == one.entries.map(\.path))
            #expect(other.entries.map(\.source) == one.entries.map(\.source))
            #expect(other.entries.map { $0.file?.state } == one.entries.map { $0.file?.state })
            #expect(otherDenied == denied)
            #expect(other.skipped.text == one.skipped.text)
        }
    }

    private func read(_ relative: ByteString, _ fixture: SourceFixture) throws -> DirectoryReader.Contents {
        let reader = DirectoryReader(
            filter: PlanFilter(excluding: [], try DenyList(home: nil, allowed: [])).forWalk, usrMerge: [],
            change: MetadataChange(), origin: .directory("test"), isExact: false, root: "/")
        let base = SharedDescriptor(try Files.open(ByteString(fixture.directory), [.readOnly, .directory]))
        let place = PendingDirectory(
            relative: relative, source: try TreePath(ByteString(fixture.directory)).appending("d"),
            path: .root.appending("d"), index: nil)
        return try reader.read(place, in: base)
    }

    @Test func aDirectoryThatIsGoneHasNothingInIt() throws {
        let fixture = try SourceFixture("mkdir d; echo >d/f")
        #expect(try read("d", fixture).files.files.map(\.name) == ["f"])
        let gone = try read("gone", fixture)
        #expect(gone.files.files.isEmpty && gone.nodes.isEmpty)
    }

    @Test(arguments: [("file", Errno.notDirectory), ("link", .tooManySymbolicLinkLevels)])
    func whatTookADirectorysPlaceIsNotFollowed(_ name: String, _ errno: Errno) throws {
        let fixture = try SourceFixture("mkdir d; echo >d/f; echo >file; ln -s d link")
        #expect { try read(ByteString(name), fixture) } throws: { ($0 as? SystemError)?.errno == errno }
    }
}
