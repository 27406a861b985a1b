import Bytes
import Digests
import Foundation
import Posix
import TestSupport
import Testing
import Trees

@testable import LayerStore

/// What is linked to without asking further must be exactly what would be linked to after asking.
struct ContentLinksTests {
    private let fixture: StoreFixture
    private static let text = "hello"
    private static let digest = Digest(hashing: Array(text.utf8))
    private static let metadata = Metadata(mode: 0o444, modified: Timestamp(seconds: 1_000))

    init() throws {
        fixture = try StoreFixture()
        try StoreFixture.add("a", ["/f": Self.text, "/g": "other"], to: fixture.open(), mode: 0o444)
    }

    private var blob: String { "\(fixture.path)/blobs/sha256/\(BlobPath.of(Self.digest))" }

    private func link(
        _ store: Store, size: UInt64 = 5, _ metadata: Metadata = Self.metadata, exactTime: Bool = false,
        to name: String = "name"
    ) throws -> Bool {
        let directory = try Files.open(ByteString(fixture.directory.path), [.readOnly, .directory])
        return try Array(name.utf8).withUnsafeBytes { name in
            try store.links(to: [Self.digest, Self.digest]).link(
                Self.digest, size: size, metadata: Self.owned(metadata), exactTime: exactTime, to: name, in: directory)
        }
    }

    /// Contents belong to whoever runs the tests.
    private static func owned(_ metadata: Metadata) -> Metadata {
        var metadata = metadata
        (metadata.uid, metadata.gid) = (CurrentProcess.effectiveUser, CurrentProcess.effectiveGroup)
        return metadata
    }

    private func isThere(_ name: String = "name") -> Bool {
        FileManager.default.fileExists(atPath: fixture.directory.path + "/" + name)
    }

    @Test func aContentInTheStateThatIsRememberedIsLinked() throws {
        #expect(try link(fixture.open(.reading)))
        let path = ByteString(fixture.directory.path + "/name")
        #expect(try Files.status(path).identity == Files.status(ByteString(blob)).identity)
    }

    @Test(arguments: [
        Metadata(mode: 0o644), Metadata(mode: 0o4444), Metadata(mode: 0o466),
        Metadata(mode: 0o444, extendedAttributes: [ExtendedAttribute(name: "user.a", value: "b")]),
    ])
    func anotherNodeIsLeftToWhoeverMakesNodes(_ metadata: Metadata) throws {
        #expect(try !link(fixture.open(.reading), metadata))
        #expect(!isThere())
    }

    @Test func theTimeCountsWhereItIsAskedFor() throws {
        let store = try fixture.open(.reading)
        #expect(try !link(store, Metadata(mode: 0o444, modified: Timestamp(seconds: 1)), exactTime: true))
        #expect(try link(store, Metadata(mode: 0o444, modified: Timestamp(seconds: 1))))
    }

    @Test(arguments: ["touch -d @5", "chmod 400", "truncate -s 4", "rm -f", "sh -c 'echo x >$0'"])
    func aContentInAnotherStateIsNotLinked(_ change: String) throws {
        let store = try fixture.open(.reading)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "\(change) \(blob)"]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        #expect(try !link(store))
        #expect(!isThere())
    }

    @Test func whatIsNotLinkedLeavesWhatIsThere() throws {
        _ = try fixture.file("name", "mine")
        #expect(try !link(fixture.open(.reading)))
        #expect(try Files.read(ByteString(fixture.directory.path + "/name"), limit: 100) == Array("mine".utf8))
        #expect(try !link(fixture.open(.reading), size: 6, to: "free"))
        #expect(!isThere("free"))
    }

    @Test func whoIsStrictBelievesNothing() throws {
        let store = try fixture.open(.reading)
        store.tamperGuard.becomeStrict()
        #expect(try !link(store))
    }

    @Test func contentsMadeForARootGoFirst() throws {
        let store = try fixture.open(.reading)
        _ = store.blobs.keep(volatile: Array(Self.text.utf8))
        #expect(try !link(store))
    }

    /// Digests that differ in their first bits, only in their last, and in both.
    @Test(arguments: [0, 1, 2, 3, 7, 100, 1_000])
    func preparedStatesAreFound(_ count: Int) throws {
        let all: [Digest] = try (0..<count).map { number throws -> Digest in
            guard number % 3 == 0 else { return Digest(hashing: Array("\(number)".utf8)) }
            var bytes = [UInt8](repeating: 7, count: 30)
            bytes += [UInt8(number >> 8), UInt8(number & 255)]
            return try #require(Digest(bytes: bytes))
        }.sorted()
        let wanted = all.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        let time = FileTime(seconds: 0, nanoseconds: 0)
        let states = wanted.indices.map { number -> InodeFingerprint? in
            if number % 5 == 4 { return nil }
            return InodeFingerprint(inode: UInt64(number), size: 1, modified: time, mode: 0, uid: 0, gid: 0)
        }
        let prepared = PreparedStates(digests: wanted, states: states)
        for (number, digest) in all.enumerated() {
            let expected: InodeFingerprint?? = number % 2 == 0 ? .some(states[number / 2]) : nil
            #expect(prepared.state(of: digest) == expected)
        }
        for byte: UInt8 in [0, 0xff] {
            let other = try #require(Digest(bytes: [UInt8](repeating: byte, count: 32)))
            #expect(prepared.state(of: other) == nil)
        }
    }
}
