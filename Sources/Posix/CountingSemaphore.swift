import Glibc

/// A counter that threads wait on (sem_overview(7)): Swift's own locks cannot be waited on for something to happen.
///
/// While nobody has to wait, the kernel is not asked.
final class CountingSemaphore: Sendable {
    /// Of the semaphore, which keeps its place in memory; as a number, since nobody is to use it but through this.
    private let address: UInt

    init() {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        // Fails for values beyond SEM_VALUE_MAX alone.
        sem_init(semaphore, 0, 0)
        address = UInt(bitPattern: semaphore)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    // No address of an allocation is 0.
    private var semaphore: UnsafeMutablePointer<sem_t> { UnsafeMutablePointer(bitPattern: address)! }

    /// Adds one.
    func signal() { sem_post(semaphore) }

    /// Waits until there is one, and takes it away.
    func wait() {
        // EINTR is all that can happen.
        while sem_wait(semaphore) != 0 {}
    }
}
