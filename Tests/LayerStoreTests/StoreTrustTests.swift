import Bytes
import Foundation
import Posix
import TestSupport
import Testing

@testable import LayerStore

/// Whose stores are opened.
struct StoreTrustTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var about: String
        /// Run with the parent directory of the store as $1.
        var script: String
        var trust = StoreTrust.own
        var isOpened: Bool
        var testDescription: String { about }
    }

    static let cases = [
        Case(about: "one's own", script: "true", isOpened: true),
        Case(about: "writable by its group", script: "chmod 775 $1/store", isOpened: true),
        Case(about: "writable by everybody", script: "chmod 777 $1/store", isOpened: false),
        Case(
            about: "writable by everybody, sticky: files can be put into it all the same",
            script: "chmod 1777 $1/store", isOpened: false),
        Case(about: "in a directory that everybody may write to", script: "chmod 777 $1", isOpened: false),
        Case(about: "in a sticky directory, as /tmp is", script: "chmod 1777 $1", isOpened: true),
        Case(
            about: "allowed, whoever may write to it", script: "chmod 777 $1/store", trust: StoreTrust(allowsAll: true),
            isOpened: true),
        Case(about: "another user's", script: "chown 1234 $1/store", isOpened: false),
        Case(
            about: "of the user who called sudo", script: "chown 1234 $1/store", trust: StoreTrust(user: 1234),
            isOpened: true),
        Case(
            about: "not of the user who called sudo", script: "chown 1234 $1/store", trust: StoreTrust(user: 1235),
            isOpened: false),
    ]

    @Test(arguments: cases.filter { isRoot || !$0.script.contains("chown") })
    func aStoreThatSomebodyElseCouldHaveWrittenIsNotOpened(_ example: Case) throws {
        let fixture = try StoreFixture()
        try StoreFixture.add("a", ["/f": "1"], to: fixture.open())
        try Tool.succeed("sh", ["-c", example.script, "sh", fixture.directory.path])
        for access in [Store.Access.reading, .adding, .changing, .collecting, .reindexing] {
            if example.isOpened {
                _ = try Store(fixture.path, access, trust: example.trust)
            } else {
                #expect {
                    try Store(fixture.path, access, trust: example.trust)
                } throws: {
                    // It says what to do.
                    if case LayerStoreError.untrusted = $0 { "\($0)".contains("LAYERFS_TRUST=") } else { false }
                }
                _ = try Store(fixture.path, access, trust: StoreTrust(allowed: [fixture.path]))
            }
        }
    }

    @Test func aStoreIsAllowedByTheNameItIsCalledOrTheOneItHas() throws {
        let fixture = try StoreFixture()
        _ = try fixture.open()
        try Tool.succeed("chmod", ["777", "\(fixture.path)"])
        let link = ByteString(fixture.directory.path + "/link")
        try Tool.succeed("ln", ["-s", "\(fixture.path)", "\(link)"])
        for name in [fixture.path, link] { _ = try Store(link, .reading, trust: StoreTrust(allowed: [name])) }
        #expect(throws: LayerStoreError.self) { try Store(link, .reading, trust: StoreTrust(allowed: ["/elsewhere"])) }
    }

    @Test func anEmptyDirectoryThatEverybodyMayWriteToBecomesNoStore() throws {
        let fixture = try StoreFixture()
        try Tool.succeed("mkdir", ["-m", "777", "\(fixture.path)"])
        #expect(throws: LayerStoreError.self) { try fixture.open() }
        #expect(try fixture.directory.contents() == ["store"])
    }
}
