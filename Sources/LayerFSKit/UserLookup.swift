import Bytes
import LayerStore
import Sandbox
import Trees

/// Users and groups by name, as a root's own files know them (passwd(5), group(5)).
struct UserLookup {
    private let tree: Tree
    private let blobs: BlobStore

    init(_ tree: Tree, _ blobs: BlobStore) { (self.tree, self.blobs) = (tree, blobs) }

    /// `user`, `uid`, `user:group` or `uid:gid`, as an image's configuration has it (image-spec, config.md, User).
    ///
    /// - Throws: ``LayerFSError/unknownUser(_:)`` for a name that the root does not know.
    func user(_ text: String) throws -> SandboxUser {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let record = try row("/etc/passwd", named: parts[0], orNumber: UInt32(parts[0]))
        guard
            let uid = record.flatMap({ $0.count > 2 ? UInt32($0[2]) : nil }) ?? UInt32(parts[0])
                ?? Self.wellKnown(parts[0])
        else { throw LayerFSError.unknownUser(text) }
        guard parts.count == 2 else {
            return SandboxUser(uid: uid, gid: record.flatMap { $0.count > 3 ? UInt32($0[3]) : nil } ?? 0)
        }
        let group = try row("/etc/group", named: parts[1], orNumber: nil).flatMap { $0.count > 2 ? UInt32($0[2]) : nil }
        guard let gid = group ?? UInt32(parts[1]) ?? Self.wellKnown(parts[1]) else {
            throw LayerFSError.unknownUser(text)
        }
        return SandboxUser(uid: uid, gid: gid)
    }

    /// The home directory of `user`; nil when the root's passwd does not know the user.
    func home(of user: SandboxUser) throws -> String? {
        let record = try row("/etc/passwd", named: "", orNumber: user.uid)
        return record.flatMap { $0.count > 5 && !$0[5].isEmpty ? $0[5] : nil }
    }

    /// root is 0 in every root, with or without files that say so.
    private static func wellKnown(_ name: String) -> UInt32? { name == "root" ? 0 : nil }

    private func row(_ file: ByteString, named name: String, orNumber number: UInt32?) throws -> [String]? {
        guard let path = try? TreePath(file), case .file(let digest, let size)? = tree[path]?.kind, size > 0 else {
            return nil
        }
        let bytes = try blobs.bytes(of: digest, limit: 16 << 20, wantedBy: "\(file)")
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            if fields[0] == name || (number != nil && fields.count > 2 && UInt32(fields[2]) == number) { return fields }
        }
        return nil
    }
}
