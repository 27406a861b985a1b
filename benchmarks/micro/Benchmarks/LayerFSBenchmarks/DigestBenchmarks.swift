import Benchmark
import Digests

/// SHA-256: what every byte that enters or leaves a store goes through.
func addDigestBenchmarks() {
    let size = 1 << 20
    let pieceSize = 4 << 10
    func bytes() -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 167) } }

    Benchmark("digest, 1 MiB at once", configuration: .by(.bytes)) { benchmark, bytes in
        benchmark.measure(size, .bytes) { blackHole(Digest(hashing: bytes)) }
    } setup: {
        bytes()
    }

    // One content that comes in small pieces.
    Benchmark("digest, 1 MiB in pieces of 4 KiB", configuration: .by(.bytes)) { benchmark, bytes in
        benchmark.measure(size, .bytes) {
            var hasher = DigestHasher()
            bytes.withUnsafeBytes { bytes in
                for start in stride(from: 0, to: size, by: pieceSize) {
                    hasher.update(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + pieceSize)]))
                }
            }
            blackHole(hasher.finalize())
        }
    } setup: {
        bytes()
    }

    // Small files: a hasher for each.
    Benchmark("digest, 256 contents of 4 KiB", configuration: .by(.bytes)) { benchmark, bytes in
        benchmark.measure(size, .bytes) {
            bytes.withUnsafeBytes { bytes in
                for start in stride(from: 0, to: size, by: pieceSize) {
                    var hasher = DigestHasher()
                    hasher.update(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + pieceSize)]))
                    blackHole(hasher.finalize())
                }
            }
        }
    } setup: {
        bytes()
    }
}
