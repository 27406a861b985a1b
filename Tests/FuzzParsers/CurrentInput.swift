import Glibc

/// The input being parsed, in a file that outlives the process: of a trap or a hang it is what caused it.
///
/// The file begins with two 64-bit numbers: how many inputs came before, and the length of this one.
final class CurrentInput {
    private let memory: UnsafeMutableRawBufferPointer
    private static let headerSize = 16

    /// Makes the file at `path`, for inputs of up to `limit` bytes.
    init(_ path: String, limit: Int) throws(Failure) {
        let size = Self.headerSize + limit
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure(step: "open", errno: errno) }
        defer { close(file) }
        guard ftruncate(file, off_t(size)) == 0 else { throw Failure(step: "ftruncate", errno: errno) }
        guard let start = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), start != MAP_FAILED else {
            throw Failure(step: "mmap", errno: errno)
        }
        memory = UnsafeMutableRawBufferPointer(start: start, count: size)
    }

    deinit { munmap(memory.baseAddress, memory.count) }

    struct Failure: Error {
        let step: String
        let errno: Int32
    }

    func set(_ bytes: [UInt8], number: UInt64) {
        memory.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
        UnsafeMutableRawBufferPointer(rebasing: memory[Self.headerSize...]).copyBytes(from: bytes)
        memory.storeBytes(of: UInt64(bytes.count), toByteOffset: 8, as: UInt64.self)
        memory.storeBytes(of: number, toByteOffset: 0, as: UInt64.self)
    }
}
