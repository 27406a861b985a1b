import Bytes
import Digests
import Testing

@testable import Trees

struct TreeComparisonTests {
    static func entry(_ kind: Entry.Kind, _ change: (inout Metadata) -> Void = { _ in }) throws -> Entry {
        var metadata = Metadata(mode: 0o644, uid: 1, gid: 2, modified: Timestamp(seconds: 5, nanoseconds: 6))
        change(&metadata)
        return Entry(path: try TreePath("/x"), metadata: metadata, kind: kind)
    }

    static func single(_ entry: Entry) throws -> Tree { try Tree([Tree.empty.entries[0], entry]) }

    @Test func eachAspectIsToldByItself() throws {
        let file = Entry.Kind.file(digest: .empty, size: 0)
        let attributes = [ExtendedAttribute(name: "user.a", value: "b")]
        let cases: [(Entry, Entry, [EntryAspect])] = try [
            (Self.entry(file), Self.entry(file), []),
            (Self.entry(file), Self.entry(.fifo), [.type]),
            (Self.entry(file), Self.entry(.file(digest: .init(hashing: [1]), size: 1)), [.content]),
            (Self.entry(.symlink(target: "a")), Self.entry(.symlink(target: "b")), [.target]),
            (Self.entry(.symlink(target: "a")), Self.entry(.symlink(target: "a")) { $0.mode = 0o777 }, []),
            (
                Self.entry(.blockDevice(major: 1, minor: 2)), Self.entry(.blockDevice(major: 1, minor: 3)), [.device]
            ),
            (Self.entry(.blockDevice(major: 1, minor: 2)), Self.entry(.characterDevice(major: 1, minor: 2)), [.type]),
            (Self.entry(file), Self.entry(file) { $0.mode = 0o4644 }, [.mode]),
            (Self.entry(file), Self.entry(file) { $0.gid = 3 }, [.owner]),
            (Self.entry(file), Self.entry(file) { $0.modified.nanoseconds = 7 }, [.time]),
            (
                Self.entry(file),
                Self.entry(file) {
                    $0 = Metadata(
                        mode: $0.mode, uid: 9, gid: $0.gid, modified: .epoch, extendedAttributes: attributes)
                }, [.owner, .time, .xattrs]
            ),
        ]
        for (old, new, aspects) in cases {
            let differences = TreeComparison(from: try Self.single(old), to: try Self.single(new)).differences
            #expect(differences.map(\.aspects) == (aspects.isEmpty ? [] : [aspects]))
        }
    }

    @Test func whatOneTreeHasAloneIsThere() throws {
        let old = try tree("f /a 1", "f /b/c 2", "f /same 4")
        let new = try tree("f /b/d 2", "f /same 4", "f /z 3")
        let differences = TreeComparison(from: old, to: new).differences
        #expect(differences.map { "\($0.path)" } == ["/a", "/b/c", "/b/d", "/z"])
        #expect(differences.map { $0.old == nil } == [false, false, true, true])
        #expect(differences.map { $0.new == nil } == [true, true, false, false])
        #expect(TreeComparison(from: old, to: old).differences == [])
    }

    @Test func fractionsAndIgnoredAspectsAreLeftOut() throws {
        let old = try Self.single(Self.entry(.fifo))
        let new = try Self.single(
            Self.entry(.fifo) {
                $0.modified.nanoseconds = 0; $0.uid = 7
            })
        #expect(TreeComparison(from: old, to: new, wholeSeconds: true).differences.map(\.aspects) == [[.owner]])
        #expect(TreeComparison(from: old, to: new, ignoring: [.owner]).differences.map(\.aspects) == [[.time]])
        #expect(TreeComparison(from: old, to: new, wholeSeconds: true, ignoring: [.owner]).differences == [])
    }

    @Test func theRootItselfDoesNotCount() throws {
        let bare = Entry(path: .root, metadata: Metadata(mode: 0o700, uid: 5), kind: .directory)
        #expect(TreeComparison(from: .empty, to: try Tree([bare])).differences == [])
    }
}
