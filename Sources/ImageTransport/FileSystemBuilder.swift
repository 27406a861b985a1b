public import Bytes
import Posix
import SystemPackage
public import Trees

/// A program that makes a read-only file system from a tar on its standard input.
public struct FileSystemBuilder: Sendable {
    public enum Kind: String, Hashable, Sendable {
        case squashfs
        case erofs
    }

    public let kind: Kind
    private let program: ByteString
    private let compression: Compression?
    private let level: Int?
    private let scratch: ByteString

    /// Looks for the program in `searchPath` and asks it whether it can read a tar.
    ///
    /// - Parameters:
    ///   - compression: of the file system; nil for what the program does by itself.
    ///   - level: of the program's own; nil for its usual one.
    ///   - scratch: a directory for an unnamed file of what the program says.
    /// - Throws: ``TransportError/noProgram(_:reason:)``.
    public init(_ kind: Kind, searchPath: [ByteString], compression: Compression?, level: Int?, scratch: ByteString)
        throws
    {
        (self.kind, self.compression, self.level, self.scratch) = (kind, compression, level, scratch)
        let name: ByteString = kind == .squashfs ? "mksquashfs" : "mkfs.erofs"
        let found = searchPath.map { $0 + "/" + name }.first { (try? Files.status($0).kind == .regular) == true }
        guard let found else {
            throw TransportError.noProgram(
                name,
                reason: "it is not on PATH; the package \(kind == .squashfs ? "squashfs-tools" : "erofs-utils") has it")
        }
        program = found
        let log = try openLog()
        _ = try ChildProcess(program, [kind == .squashfs ? "-help" : "--help"], environment: ["LC_ALL=C"], output: log)
            .finish()
        try log.rewind()
        let help = ByteString(try log.readAll(limit: 1 << 20))
        let (option, version) = kind == .squashfs ? ("-tar", "squashfs-tools 4.5") : ("--tar=", "erofs-utils 1.7")
        guard
            help.split(on: UInt8(ascii: "\n")).contains(where: { line in
                ByteString(line.bytes.drop { $0 == UInt8(ascii: " ") }).hasPrefix(ByteString(option))
            })
        else {
            throw TransportError.noProgram(found, reason: "it cannot read a tar; \(version) and newer can")
        }
    }

    /// What it is called with, to make the file `path`.
    ///
    /// - Parameter time: that of the file system and of its root, in seconds since 1970.
    func arguments(for path: ByteString, time: Int64) -> [ByteString] {
        let level = level.map { "\($0)" }
        switch kind {
        case .squashfs:
            // 4.5 gives the root of a tar the current time, whatever -root-time says; SOURCE_DATE_EPOCH bounds it.
            var arguments: [ByteString] = [
                "-", path, "-tar", "-noappend", "-no-progress", "-quiet", "-root-mode", "755", "-root-uid", "0",
                "-root-gid", "0",
            ]
            switch compression {
            case .some(.none): arguments += ["-noI", "-noD", "-noF", "-noX"]
            case let compression?: arguments += ["-comp", ByteString(compression.rawValue)]
            case nil: break
            }
            if let level { arguments += ["-Xcompression-level", ByteString(level)] }
            return arguments
        case .erofs:
            var arguments: [ByteString] = [
                "--tar=f", "--quiet", "--mkfs-time", ByteString("-T\(time)"),
                "-U00000000-0000-0000-0000-000000000000",
            ]
            let algorithm: String? =
                switch compression {
                case .gzip: "deflate"
                case .zstd: "zstd"
                case .some(.none), nil: nil
                }
            if let algorithm { arguments.append(ByteString("-z" + algorithm + (level.map { ",level=\($0)" } ?? ""))) }
            return arguments + [path]
        }
    }

    func openLog() throws(SystemError) -> OwnedDescriptor { try Files.open(scratch, [.readWrite, .temporary]) }

    func start(_ path: ByteString, time: Int64, output: borrowing OwnedDescriptor) throws(SystemError) -> ChildProcess {
        try ChildProcess(
            program, arguments(for: path, time: time),
            environment: [
                "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", ByteString("SOURCE_DATE_EPOCH=\(max(time, 0))"),
            ],
            output: output)
    }

    /// - Throws: ``TransportError/programFailed(_:status:output:)``.
    func check(_ status: Int32, _ log: borrowing OwnedDescriptor) throws {
        guard status != 0 else { return }
        try log.rewind()
        let text = (try? log.readAll(limit: 1 << 20)) ?? []
        let last = ByteString(text.suffix(600)).split(on: UInt8(ascii: "\n")).filter { !$0.isEmpty }.suffix(3)
        throw TransportError.programFailed(
            program, status: status, output: last.map { "\($0)" }.joined(separator: "; "))
    }
}

extension ImageExporter {
    /// Writes the tree of `entries` as a file system to the file `path`, which is replaced if it exists.
    ///
    /// - Parameter entries: with the root, or without: then it is root's, mode 0755.
    /// - Throws: ``TransportError/programFailed(_:status:output:)`` and as ``writeLayout(_:named:at:)``.
    public func writeFileSystem(
        _ entries: Tree.Entries, at path: ByteString, by builder: FileSystemBuilder
    ) throws -> LayerPacking.Result {
        let target = try fileTarget(path)
        let staged = try StagedDirectory(in: target.parent, for: target.name)
        let directory = try staged.open()
        let time = entries.newest.map { packing.recorded($0).seconds } ?? 0
        var entries = entries.filter { !$0.path.isRoot }
        if builder.kind == .erofs {
            let root = Metadata(mode: 0o755, modified: Timestamp(seconds: time))
            entries.append(Entry(path: .root, metadata: root, kind: .directory))
        }
        let result = try run(builder, entries, directory, time)
        let made = try directory.open("image", [.readOnly, .noFollow])
        try made.syncData()
        try directory.rename("image", to: target.name, in: target.parent, replacing: true)
        try target.parent.sync()
        return result
    }

    private func run(
        _ builder: FileSystemBuilder, _ entries: Tree.Entries, _ directory: borrowing OwnedDescriptor, _ time: Int64
    ) throws -> LayerPacking.Result {
        let log = try builder.openLog()
        let child = try builder.start(directory.path(of: "image"), time: time, output: log)
        let result: LayerPacking.Result
        do {
            result = try pack(entries, .none, into: ChildSink(child))
        } catch let error as SystemError where error.errno == .brokenPipe {
            try builder.check(child.finish(), log)
            throw error
        }
        try builder.check(child.finish(), log)
        return result
    }
}

/// Writes to a program's standard input.
private final class ChildSink: ByteSink {
    private let child: ChildProcess

    init(_ child: ChildProcess) { self.child = child }

    func write(_ bytes: UnsafeRawBufferPointer) throws { try child.write(bytes) }
}
