import Bytes
import LayerStore
import Sandbox
import Testing
import Trees

@testable import LayerFSKit

struct UserLookupTests {
    /// The users of a root with these files.
    private func lookup(_ items: [String: KitFixture.Item], in fixture: KitFixture) throws -> UserLookup {
        UserLookup(try fixture.add("a", items), fixture.workspace.store.blobs)
    }

    static let files: [String: KitFixture.Item] = [
        "/etc/passwd": .file("root:x:0:0:root:/root:/bin/sh\nbuild:x:1000:100:Builder:/home/build:/bin/sh\nbroken\n"),
        "/etc/group": .file("root:x:0:\nusers:x:100:\nadm:x:4:\n"),
    ]

    @Test(
        arguments: [
            ("0", 0, 0), ("root", 0, 0), ("build", 1000, 100), ("1000", 1000, 100), ("1000:7", 1000, 7),
            ("build:adm", 1000, 4),
            ("5", 5, 0), ("5:users", 5, 100), ("root:root", 0, 0),
        ] as [(String, UInt32, UInt32)])
    func namesAndNumbersAreThoseOfTheRoot(_ text: String, _ uid: UInt32, _ gid: UInt32) throws {
        let fixture = try KitFixture()
        #expect(try lookup(Self.files, in: fixture).user(text) == SandboxUser(uid: uid, gid: gid))
    }

    @Test(arguments: ["nobody", "build:nogroup", "broken"])
    func unknownNamesAreRefused(_ text: String) throws {
        let fixture = try KitFixture()
        let users = try lookup(Self.files, in: fixture)
        #expect(throws: LayerFSError.self) { try users.user(text) }
    }

    @Test func homesAreThoseOfPasswd() throws {
        let fixture = try KitFixture()
        #expect(try lookup(Self.files, in: fixture).home(of: SandboxUser(uid: 1000, gid: 0)) == "/home/build")
    }

    @Test func rootIsKnownWithoutFiles() throws {
        let fixture = try KitFixture()
        let users = try lookup(["/x": .file("1")], in: fixture)
        #expect(try users.user("root") == .root)
        #expect(try users.home(of: .root) == nil)
        #expect(throws: LayerFSError.self) { try users.user("build") }
    }
}
