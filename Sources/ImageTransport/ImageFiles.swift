import Bytes
import Digests
import OCI
import Posix
import SystemPackage
import Tar

/// The files of an image layout, wherever it lies. Names are relative, `index.json` or `blobs/sha256/…`.
protocol ImageFiles {
    /// The size in bytes of the regular file `name`; nil when there is none.
    func size(of name: String) throws -> UInt64?
    /// Streams the regular file `name` in pieces of at most 1 MiB.
    ///
    /// - Throws: ``TransportError/missing(name:)``, `SystemError`, what `body` throws.
    func read(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws
    /// The names of what lies directly in `directory`; none when it does not exist.
    func names(in directory: String) throws -> [String]
}

extension ImageFiles {
    func blobName(_ digest: Digest) -> String { "blobs/sha256/\(digest.hexadecimal)" }

    /// The content of a document; nil when there is no such file.
    ///
    /// - Throws: ``TransportError/malformedDocument(name:_:)`` when it is larger than a document may be.
    func document(_ name: String) throws -> [UInt8]? {
        guard let size = try size(of: name) else { return nil }
        guard size <= UInt64(JSONValue.sizeLimit) else {
            throw TransportError.malformedDocument(name: name, .documentTooLarge(size: Int(clamping: size)))
        }
        var bytes: [UInt8] = []
        try read(name) { piece in
            // It may have grown since.
            guard bytes.count + piece.count <= JSONValue.sizeLimit else {
                throw TransportError.malformedDocument(name: name, .documentTooLarge(size: bytes.count + piece.count))
            }
            bytes.append(contentsOf: piece)
        }
        return bytes
    }
}

/// Says which document it was that could not be parsed.
func parsing<Document>(
    _ name: String, _ body: () throws(OCIError) -> Document
) throws(TransportError) -> Document {
    do { return try body() } catch { throw .malformedDocument(name: name, error) }
}

private let pieceSize = 1 << 20

/// Calls `body` with the rest of `file`, in pieces of at most 1 MiB.
func forEachPiece(of file: borrowing OwnedDescriptor, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 16)
    defer { buffer.deallocate() }
    while true {
        let count = try file.read(into: buffer)
        if count == 0 { return }
        try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
}

/// A layout as a directory.
final class LayoutFiles: ImageFiles {
    private let root: OwnedDescriptor

    init(_ root: consuming OwnedDescriptor) { self.root = root }

    func size(of name: String) throws -> UInt64? {
        do {
            // Of what is there itself: no link in it is followed, wherever it leads.
            let status = try root.openContained(ByteString(name), [.path]).status()
            return status.kind == .regular ? status.size : nil
        } catch  where [.noSuchFileOrDirectory, .tooManySymbolicLinkLevels, .notDirectory].contains(error.errno) {
            return nil
        }
    }

    func read(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard try size(of: name) != nil else { throw TransportError.missing(name: name) }
        // Neither a link nor a fifo that came in between leads anywhere or blocks.
        let file = try root.openContained(ByteString(name), [.readOnly, .nonBlocking])
        guard try file.status().kind == .regular else { throw TransportError.missing(name: name) }
        try forEachPiece(of: file, body)
    }

    func names(in directory: String) throws -> [String] {
        guard try root.contains(ByteString(directory)) else { return [] }
        let opened = try root.openContained(ByteString(directory), [.readOnly, .directory])
        return try opened.names().map { $0.name.utf8Text ?? "\($0.name)" }
    }
}

/// A layout as a tar archive in a file: an oci-archive, or what `docker save` writes.
final class ArchiveFiles: ImageFiles {
    private let file: OwnedDescriptor
    private var members: [String: Range<UInt64>] = [:]
    /// Links between members: old versions of `docker save` wrote a layer once and linked to it.
    private var links: [String: String] = [:]

    /// Reads through the archive once to learn where its members are.
    ///
    /// - Throws: `TarError`, `SystemError`.
    init(_ file: consuming OwnedDescriptor) throws {
        self.file = file
        var decoder = TarDecoder()
        var position: UInt64 = 0
        try forEachPiece(of: self.file) { piece in
            position += UInt64(piece.count)
            var rest = piece
            while let event = try decoder.next(&rest) {
                guard case .member(let header) = event else { continue }
                try add(header, start: position - UInt64(rest.count))
            }
        }
        try decoder.finish()
    }

    private func add(_ header: TarHeader, start: UInt64) throws {
        guard let name = try? TreePath("/" + header.name).relative.utf8Text else { return }
        (members[name], links[name]) = (nil, nil)
        switch header.kind {
        case .file(let size):
            let (end, overflow) = start.addingReportingOverflow(size)
            if !overflow { members[name] = start..<end }
        case .symlink(let target):
            // Up from where the link is, and never out of the archive.
            var place = Array(name.split(separator: "/").dropLast())
            for part in (target.utf8Text ?? "").split(separator: "/") where part != "." {
                if part != ".." { place.append(part) } else if place.popLast() == nil { return }
            }
            links[name] = place.joined(separator: "/")
        case .hardLink(let target): links[name] = (try? TreePath("/" + target))?.relative.utf8Text
        default: break
        }
        guard members.count + links.count <= 100_000 else {
            throw TransportError.malformedDocument(name: "the archive", .documentTooLarge(size: members.count))
        }
    }

    private func range(of name: String) -> Range<UInt64>? {
        var name = name
        for _ in 0..<8 {
            if let range = members[name] { return range }
            guard let next = links[name] else { return nil }
            name = next
        }
        return nil
    }

    func names(in directory: String) throws -> [String] {
        (Array(members.keys) + links.keys).filter { $0.hasPrefix(directory + "/") }
            .map { String($0.dropFirst(directory.utf8.count + 1)) }.filter { !$0.contains("/") }
    }

    func size(of name: String) throws -> UInt64? { range(of: name).map { $0.upperBound - $0.lowerBound } }

    func read(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard let range = range(of: name) else { throw TransportError.missing(name: name) }
        try file.forEachPiece(in: range, name: name, body)
    }
}

extension OwnedDescriptor {
    /// Calls `body` with the bytes of `range`, in pieces of at most 1 MiB, whatever the current offset.
    ///
    /// - Throws: ``TransportError/missing(name:)`` of `name` when the file is shorter; `SystemError`, what `body` throws.
    borrowing func forEachPiece(
        in range: Range<UInt64>, name: String, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var range = range
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 16)
        defer { buffer.deallocate() }
        while !range.isEmpty {
            let wanted = Int(min(UInt64(pieceSize), range.upperBound - range.lowerBound))
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            let count = try read(at: range.lowerBound, into: piece)
            guard count > 0 else { throw TransportError.missing(name: name) }
            range = (range.lowerBound + UInt64(count))..<range.upperBound
            try body(UnsafeRawBufferPointer(rebasing: piece[..<count]))
        }
    }
}
