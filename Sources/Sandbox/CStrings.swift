import Bytes
import CSandbox

/// NUL-terminated copies of byte strings, and the arrays of pointers that execve(2) takes, valid as long as this lives.
struct CStrings: ~Copyable {
    private var allocations: [UnsafeMutableRawPointer] = []

    init() {}

    deinit { for allocation in allocations { allocation.deallocate() } }

    /// A copy of `text`, which must hold no NUL.
    mutating func add(_ text: ByteString) -> UnsafePointer<CChar> {
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: text.count + 1)
        for (index, byte) in text.bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
        copy[text.count] = 0
        allocations.append(copy)
        return UnsafePointer(copy)
    }

    /// An array of copies, ended by a null pointer.
    mutating func add(_ texts: [ByteString]) -> UnsafePointer<UnsafePointer<CChar>?> {
        let array = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() { array[index] = add(text) }
        array[texts.count] = nil
        allocations.append(array)
        return UnsafePointer(array)
    }
}
