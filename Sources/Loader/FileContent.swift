import Bytes
import ELF
import Posix

/// What a file is, as far as starting and loading it goes.
struct FileContent: Sendable {
    /// The first bytes, as many as the kernel looks at for `#!`; fewer in a shorter file.
    let prefix: [UInt8]
    /// Nil when the file does not begin as an ELF file.
    let elf: Result<ELFImage, ELFError>?

    /// Whether the file has capabilities of its own (capabilities(7)), which makes the loader as careful as setuid does.
    var hasCapabilities = false

    /// BINPRM_BUF_SIZE (linux/binfmts.h).
    static let prefixLength = 256

    var image: ELFImage? { try? elf?.get() }
}

/// Reads each file of a root once, whatever its names.
final class FileCatalog {
    let root: SourceRoot
    private var contents: [FileIdentity: Result<FileContent, SystemError>] = [:]

    private var symbols: [SymbolKey: Set<ByteString>] = [:]

    private var dlopenNotes: [FileIdentity: DlopenNotes] = [:]

    struct DlopenNotes: Sendable {
        let notes: [DlopenNote]
        let errors: [DlopenNoteError]
    }

    private struct SymbolKey: Hashable {
        let identity: FileIdentity
        let selection: SymbolSelection
    }

    init(_ root: SourceRoot) { self.root = root }

    /// The content of the regular file found at `found`.
    func content(of found: ResolvedPath) throws(SystemError) -> FileContent {
        if let known = contents[found.status.identity] { return try known.get() }
        let result: Result<FileContent, SystemError>
        do { result = .success(try Self.read(found, from: root.files).content) } catch { result = .failure(error) }
        contents[found.status.identity] = result
        return try result.get()
    }

    /// Reads the regular files `found` on all workers of `pool`, where the root's files allow that.
    func prefetch(_ found: [ResolvedPath], withNotes: Bool, _ pool: WorkerPool) {
        guard let files = root.sharedFiles else { return }
        var seen = Set(contents.keys)
        let wanted = found.filter { $0.status.kind == .regular && seen.insert($0.status.identity).inserted }
        let results = pool.map(wanted.count) { index -> (Result<FileContent, SystemError>, DlopenNotes?) in
            let file = wanted[index]
            do throws(SystemError) {
                let (content, notes) = try Self.read(file, from: files, withNotes: withNotes)
                return (.success(content), notes)
            } catch { return (.failure(error), nil) }
        }
        for (file, (content, notes)) in zip(wanted, results) {
            contents[file.status.identity] = content
            if let notes { dlopenNotes[file.status.identity] = notes }
        }
    }

    /// The whole content of `found`, at most `limit` bytes.
    func bytes(of found: ResolvedPath, limit: Int) throws(SystemError) -> [UInt8] {
        try root.open(found, .readOnly).readAll(limit: limit)
    }

    /// Whether the kernel tells the loader to be careful (AT_SECURE): the program may run with more rights than who
    /// started it.
    func isSecure(_ program: ResolvedPath) -> Bool {
        program.status.permissions & 0o6000 != 0 || (try? content(of: program))?.hasCapabilities ?? false
    }

    /// The image of `found`, read as if it were of `header`'s class and byte order.
    func image(of found: ResolvedPath, assuming header: ELFHeader) throws(SystemError) -> Result<ELFImage, ELFError> {
        let source = DescriptorSource(try root.open(found, .readOnly), size: found.status.size)
        do { return .success(try ELFImage(reading: source, assuming: header)) } catch {
            switch error {
            case .source(let error): throw error
            case .format(let error): return .failure(error)
            }
        }
    }

    /// The names of the dynamic symbols of `image`, which was read from `found`; none when they cannot be read.
    func symbols(_ selection: SymbolSelection, of found: ResolvedPath, _ image: ELFImage) -> Set<ByteString> {
        let key = SymbolKey(identity: found.status.identity, selection: selection)
        if let known = symbols[key] { return known }
        var names: Set<ByteString> = []
        if let source = try? DescriptorSource(root.open(found, .readOnly), size: found.status.size) {
            names = (try? Set(image.dynamicSymbols(selection, reading: source))) ?? []
        }
        symbols[key] = names
        return names
    }

    /// What the `.note.dlopen` notes of `image` say, which was read from `found`; nothing when they cannot be read.
    func dlopenNotes(of found: ResolvedPath, _ image: ELFImage) -> DlopenNotes {
        if let known = dlopenNotes[found.status.identity] { return known }
        let result = Self.dlopenNotes(of: found, image, from: root.files)
        dlopenNotes[found.status.identity] = result
        return result
    }

    private static func dlopenNotes(
        of found: ResolvedPath, _ image: ELFImage, from files: any RootFiles
    ) -> DlopenNotes {
        guard let source = try? DescriptorSource(files.open(found, .readOnly), size: found.status.size) else {
            return DlopenNotes(notes: [], errors: [])
        }
        return dlopenNotes(of: image, source)
    }

    private static func dlopenNotes(of image: ELFImage, _ source: DescriptorSource) -> DlopenNotes {
        guard let (notes, errors) = try? image.dlopenNotes(reading: source) else {
            return DlopenNotes(notes: [], errors: [])
        }
        return DlopenNotes(notes: notes, errors: errors)
    }

    /// Reads all that is asked of a file while it is open.
    ///
    /// - Parameter withNotes: whether that includes its notes, which are asked of few files at other times.
    private static func read(
        _ found: ResolvedPath, from files: any RootFiles, withNotes: Bool = false
    ) throws(SystemError) -> (content: FileContent, notes: DlopenNotes?) {
        let source = DescriptorSource(try files.open(found, .readOnly), size: found.status.size)
        let prefix = try source.read(at: 0, count: FileContent.prefixLength)
        guard prefix.starts(with: ELFHeader.magic) else { return (FileContent(prefix: prefix, elf: nil), nil) }
        do {
            let image = try ELFImage(reading: source)
            var content = FileContent(prefix: prefix, elf: .success(image))
            if found.status.permissions & 0o111 != 0 {
                content.hasCapabilities = source.hasCapabilities { files.hasCapabilities(found.path, $0) }
            }
            return (content, withNotes ? dlopenNotes(of: image, source) : nil)
        } catch {
            switch error {
            case .source(let error): throw error
            case .format(let error): return (FileContent(prefix: prefix, elf: .failure(error)), nil)
            }
        }
    }
}

/// An open file as the source of an ELF image. The first piece is kept: most files need little more.
private final class DescriptorSource: ELFSource {
    private let file: OwnedDescriptor
    private let size: UInt64
    private var first: [UInt8]?

    /// - Parameter size: of the file, when it was examined; nothing behind is asked for.
    init(_ file: consuming OwnedDescriptor, size: UInt64) {
        self.file = file
        self.size = size
    }

    func read(at offset: UInt64, count: Int) throws(SystemError) -> [UInt8] {
        if offset == 0, let first, first.count >= count || first.count < Self.firstPiece {
            return Array(first.prefix(count))
        }
        let wanted = offset == 0 ? max(count, Self.firstPiece) : count
        let bytes = try readFully(at: offset, count: wanted)
        if offset == 0 { first = bytes }
        return offset == 0 ? Array(bytes.prefix(count)) : bytes
    }

    func hasCapabilities(_ ask: (borrowing OwnedDescriptor) -> Bool) -> Bool { ask(file) }

    private static let firstPiece = 16384

    private func readFully(at offset: UInt64, count: Int) throws(SystemError) -> [UInt8] {
        guard offset < size else { return [] }
        let count = Int(min(UInt64(count), size - offset))
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let received = try Self.read(file, at: offset &+ UInt64(filled), into: &bytes, from: filled)
            if received == 0 { break }
            filled += received
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    private static func read(
        _ file: borrowing OwnedDescriptor, at offset: UInt64, into bytes: inout [UInt8], from start: Int
    ) throws(SystemError) -> Int {
        // Typed throws do not pass through withUnsafeMutableBytes, hence the Result.
        let result = bytes.withUnsafeMutableBytes { buffer -> Result<Int, SystemError> in
            do throws(SystemError) {
                return .success(
                    try file.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...])))
            } catch { return .failure(error) }
        }
        return try result.get()
    }
}
