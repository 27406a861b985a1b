import Bytes
import Foundation
import Posix
import SystemPackage

/// Who holds a store's lock, for the message of those who wait for it.
///
/// Who holds it alone writes `PID COMMAND` into the lock file: nobody else can write there meanwhile, and what a dead command
/// left is never read, since a lock without a holder is taken. Those who share it are looked up in proc_locks(5).
enum LockHolder {
    /// Writes down that this process holds the lock. That it cannot be written is no reason to fail.
    static func record(in store: StoreDirectory) {
        let words = CommandLine.arguments.prefix(4).enumerated().map { index, word in
            index == 0 ? word.split(separator: "/").last.map(String.init) ?? word : word
        }
        let text = ByteString(words.joined(separator: " ")).description
        try? store.root.open("lock", [.writeOnly, .truncate])
            .writeAll(Array("\(CurrentProcess.identifier) \(text.prefix(200))\n".utf8))
    }

    /// The holders of the lock as a message names them.
    static func describe(in store: StoreDirectory) -> String {
        let unknown = "another layerfs command"
        guard let file = try? store.root.open("lock", .readOnly) else { return unknown }
        // Held by one alone, or shared by several? In the first case even sharing is refused.
        if let again = try? store.root.open("lock", .readOnly), let shared = try? FileLock(again, .shared) {
            _ = consume shared
            let sharing = sharers(of: file)
            return sharing.isEmpty ? unknown : sharing.joined(separator: ", ")
        }
        guard let bytes = try? file.readPrefix(512), bytes.last == UInt8(ascii: "\n") else { return unknown }
        let parts = ByteString(bytes.dropLast()).description.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let process = Int32(parts[0]) else { return unknown }
        return "'\(parts[1])' (process \(process))"
    }

    /// Processes that hold a lock on `file`, as the kernel lists them: `1: FLOCK ADVISORY READ 4711 08:01:1234 0 EOF`.
    private static func sharers(of file: borrowing OwnedDescriptor) -> [String] {
        guard let identity = try? file.status().identity, let table = try? Files.read("/proc/locks", limit: 8 << 20)
        else { return [] }
        return ByteString(table).split(on: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.description.split(separator: " ")
            guard fields.count >= 6, fields[1] == "FLOCK", let process = Int32(fields[4]), process > 0,
                process != CurrentProcess.identifier, fields[5].hasSuffix(":\(identity.inode)")
            else { return nil }
            guard let words = try? Files.read(ByteString("/proc/\(process)/cmdline"), limit: 1 << 16) else {
                return "process \(process)"
            }
            let command = ByteString(words.split(separator: 0).prefix(4).joined(separator: [UInt8(ascii: " ")]))
            return "'\(command.description.prefix(200))' (process \(process))"
        }
    }
}
