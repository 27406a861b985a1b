import CZstd
import Posix

/// Compresses to one zstd frame with a checksum, on all workers, with the same bytes for any number of them.
///
/// libzstd cuts its input into jobs of a size that depends on the level alone, each with the end of the one before as its
/// dictionary; it does so with one thread as well when it is asked for one (`ZSTD_c_nbWorkers` 1, not 0). So the frame is
/// solid, and the bytes depend on content, level and libzstd's version only. One frame, because decoders that stop after the
/// first have been met.
final class ZstdCompressor: ByteSink {
    /// Each worker holds a job of some MiB.
    private static let workerLimit = 8
    /// Levels below this are compressed on one core.
    private static let lowestLevelOfJobs = 3

    /// The level that is compressed with parameters of our own.
    private static let tunedLevel = 3
    /// Those of ``tunedLevel``, where libzstd would take a window of 2 MiB and a table of 2^16 for short matches. The window is the
    /// largest that RFC 8878 asks of every decoder; with a smaller table, which stays in the nearest cache, it makes layers as small
    /// in a tenth less time. The jobs, and what each sees of the one before, are as large as with the smaller window.
    private static let tuning: [(ZSTD_cParameter, Int32)] = [
        (ZSTD_c_windowLog, 23), (ZSTD_c_chainLog, 14), (ZSTD_c_jobSize, 8 << 20), (ZSTD_c_overlapLog, 4),
    ]

    /// What the bytes depend on beside the content and the level. With 2: level 3 has parameters of its own.
    static var codec: String { "libzstd \(ZSTD_versionNumber()) 2" }

    private let output: any ByteSink
    private let context: OpaquePointer
    private var buffer = [UInt8](repeating: 0, count: ZSTD_CStreamOutSize())

    /// - Parameter level: 1 to 19.
    /// - Throws: ``TransportError/outOfMemory``, ``TransportError/noThreads``.
    init(output: any ByteSink, level: Int, pool: WorkerPool) throws(TransportError) {
        self.output = output
        guard let context = ZSTD_createCCtx() else { throw .outOfMemory }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
        if level == Self.tunedLevel {
            for (parameter, value) in Self.tuning { ZSTD_CCtx_setParameter(context, parameter, value) }
        }
        // Jobs of these levels were seen to depend on where libzstd's memory lies (1.5.4, under ThreadSanitizer).
        guard level >= Self.lowestLevelOfJobs else { return }
        // Without threads libzstd would give other bytes, and not say so.
        let workers = min(pool.workers, Self.workerLimit)
        guard ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, Int32(workers))) == 0 else {
            throw .noThreads
        }
    }

    deinit { ZSTD_freeCCtx(context) }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        while input.pos < input.size { _ = try compress(&input, ZSTD_e_continue) }
    }

    /// Writes what is left, and the checksum.
    func finish() throws {
        var input = ZSTD_inBuffer(src: nil, size: 0, pos: 0)
        while try compress(&input, ZSTD_e_end) > 0 {}
    }

    /// - Returns: how much is still to be flushed, at least.
    private func compress(_ input: inout ZSTD_inBuffer, _ directive: ZSTD_EndDirective) throws -> Int {
        let (left, count) = buffer.withUnsafeMutableBytes { buffer in
            var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
            return (ZSTD_compressStream2(context, &output, &input, directive), output.pos)
        }
        // Levels and directives are right: what is left to fail is memory.
        guard ZSTD_isError(left) == 0 else { throw TransportError.outOfMemory }
        if count > 0 { try buffer.withUnsafeBytes { try output.write(UnsafeRawBufferPointer(rebasing: $0[..<count])) } }
        return left
    }
}
