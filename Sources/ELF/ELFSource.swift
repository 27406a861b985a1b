/// Where an ELF file's bytes come from: random access, so that a file of hundreds of megabytes costs a few small reads.
public protocol ELFSource {
    /// What a failed read throws; `Never` for bytes in memory.
    associatedtype Failure: Error

    /// The bytes at `offset`: `count` of them, fewer only at the end of the file, none behind it.
    func read(at offset: UInt64, count: Int) throws(Failure) -> [UInt8]
}

/// An ELF file held in memory.
public struct ELFBytes: ELFSource, Sendable {
    private let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public func read(at offset: UInt64, count: Int) throws(Never) -> [UInt8] {
        guard count > 0, let start = Int(exactly: offset), start < bytes.count else { return [] }
        return Array(bytes[start..<(start + min(count, bytes.count - start))])
    }
}

/// Why an ELF file could not be examined: its source failed, or its content is not as the format wants it.
public enum ELFReadError<SourceFailure: Error>: Error {
    case source(SourceFailure)
    case format(ELFError)
}

extension ELFReadError: Equatable where SourceFailure: Equatable {}
