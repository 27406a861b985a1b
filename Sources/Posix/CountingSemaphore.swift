import Bytes
import CLinux
import Glibc

/// A counter that threads wait on (eventfd(2), EFD_SEMAPHORE): Swift's own locks cannot be waited on for something to happen.
final class CountingSemaphore: Sendable {
    private let counter: OwnedDescriptor

    init() throws(SystemError) {
        counter = OwnedDescriptor(adopting: try retrying("eventfd", nil) { clinux_semaphore() }, path: "a semaphore")
    }

    /// Adds one.
    func signal() {
        var one: UInt64 = 1
        // Whatever a failure is (EINTR; nothing else is documented), somebody waits for this.
        while write(counter.rawValue, &one, MemoryLayout<UInt64>.size) != MemoryLayout<UInt64>.size {}
    }

    /// Waits until there is one, and takes it away.
    func wait() {
        var taken: UInt64 = 0
        while read(counter.rawValue, &taken, MemoryLayout<UInt64>.size) != MemoryLayout<UInt64>.size {}
    }
}
