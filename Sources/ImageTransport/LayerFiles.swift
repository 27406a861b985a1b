public import Bytes
public import Posix
import SystemPackage
import Tar

/// The contents of all files that lie in the layers of an image layout, whatever images it names and however damaged it is.
///
/// Nothing is verified: this is for whoever looks for contents whose digest he knows.
public enum LayerFiles {
    /// What is met, in order.
    public enum Event {
        /// A regular file of this many bytes begins.
        case begin(size: UInt64)
        case content(UnsafeRawBufferPointer)
        /// The file that began last is whole.
        case end
    }

    /// Reads every blob of the layout at `path` that is a tar, compressed by gzip or not. What is damaged or none is passed over.
    ///
    /// - Throws: `SystemError` when there is no layout, and what `body` throws.
    public static func forEach(in path: ByteString, _ body: (Event) throws -> Void) throws {
        try forEach(
            amongFilesOf: Files.open(path, [.readOnly, .directory]).open("blobs/sha256", [.readOnly, .directory]), body)
    }

    /// The same for every file of `blobs`, a directory of layers.
    public static func forEach(
        amongFilesOf blobs: borrowing OwnedDescriptor, _ body: (Event) throws -> Void
    ) throws {
        for blob in try blobs.names() where blob.kind != .directory {
            var failure: (any Error)?
            do {
                try read(blobs.open(blob.name, [.readOnly, .noFollow, .nonBlocking])) { event in
                    do { try body(event) } catch {
                        failure = error
                        throw error
                    }
                }
            } catch {
                if let failure { throw failure }
            }
        }
    }

    private static func read(_ file: borrowing OwnedDescriptor, _ body: (Event) throws -> Void) throws {
        let decompressor = Decompressor(limit: .none)
        var decoder = TarDecoder()
        var left: UInt64?
        let zeros = [UInt8](repeating: 0, count: 64 << 10)
        func content(_ piece: UnsafeRawBufferPointer) throws {
            guard let size = left else { return }
            try body(.content(piece))
            left = size - min(size, UInt64(piece.count))
            if left == 0 { try body(.end) }
        }
        func pass(_ bytes: UnsafeRawBufferPointer) throws {
            var rest = bytes
            while let event = try decoder.next(&rest) {
                switch event {
                case .member(let header):
                    guard case .file(let size) = header.kind else {
                        left = nil
                        continue
                    }
                    try body(.begin(size: size))
                    if size == 0 { try body(.end) }
                    left = size == 0 ? nil : size
                case .content(let piece): try content(piece)
                case .hole(var count):
                    while count > 0 {
                        let piece = min(count, UInt64(zeros.count))
                        try zeros.withUnsafeBytes {
                            try content(UnsafeRawBufferPointer(rebasing: $0[..<Int(piece)]))
                        }
                        count -= piece
                    }
                }
            }
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { return try decompressor.finish(pass) }
            try decompressor.decompress(UnsafeRawBufferPointer(rebasing: buffer[..<count]), pass)
        }
    }
}
