import Benchmark
import Bytes
import Tar
import Trees

/// Headers and small contents, with nothing hashed.
func addTarBenchmarks() {
    Benchmark("tar, 10,000 members written", configuration: .by(.entries)) { benchmark, members in
        var tar: [UInt8] = []
        tar.reserveCapacity(members.size)
        try benchmark.measure(members.list.count, .entries) { try members.write(to: &tar) }
        blackHole(tar)
    } setup: {
        try Members(Sample())
    }

    Benchmark("tar, 10,000 members read", configuration: .by(.entries)) { benchmark, tar in
        var count = 0
        try benchmark.measure(Sample.count - 1, .entries) { count = try memberCount(tar) }
        precondition(count == Sample.count - 1, "the tar was not read as it was written")
    } setup: {
        var tar: [UInt8] = []
        try Members(Sample()).write(to: &tar)
        return tar
    }
}

/// Reads `tar` in pieces of 64 KiB, as it comes from a file.
private func memberCount(_ tar: [UInt8]) throws -> Int {
    var decoder = TarDecoder()
    var count = 0
    try tar.withUnsafeBytes { tar in
        for start in stride(from: 0, to: tar.count, by: 64 << 10) {
            var piece = UnsafeRawBufferPointer(rebasing: tar[start..<min(start + (64 << 10), tar.count)])
            while let event = try decoder.next(&piece) {
                if case .member = event { count += 1 } else { blackHole(event) }
            }
        }
    }
    return count
}

/// The entries of a sample as a tar has them.
private struct Members: Sendable {
    let list: [(header: TarHeader, content: [UInt8])]
    /// A little more than the tar will have, in bytes.
    let size: Int

    init(_ sample: Sample) {
        list = sample.entries.map { entry in
            func header(_ kind: TarHeader.Kind) -> TarHeader {
                TarHeader(
                    name: entry.path.relative, kind: kind, mode: entry.metadata.mode,
                    modified: entry.metadata.modified.seconds)
            }
            switch entry.kind {
            case .file(let digest, let size): return (header(.file(size: size)), sample.bytes[digest] ?? [])
            case .symlink(let target): return (header(.symlink(target: target)), [])
            default: return (header(.directory), [])
            }
        }
        size = list.reduce(1024) { $0 + $1.content.count + 1024 }
    }

    func write(to tar: inout [UInt8]) throws {
        for (header, content) in list {
            tar += try TarEncoder.encode(header)
            tar += content
            tar.append(contentsOf: repeatElement(0, count: TarEncoder.padding(after: UInt64(content.count))))
        }
        tar += TarEncoder.endOfArchive
    }
}
