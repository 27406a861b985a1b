import Glibc

/// Plain threads (pthreads(7)).
enum Threads {
    /// Runs `body` on `count` threads, this one among them, and waits for all.
    static func run(_ count: Int, _ body: @escaping @Sendable () -> Void) {
        let others = start(count - 1, body)
        body()
        join(others)
    }

    /// Starts up to `count` threads that run `body`: fewer, or none, where there are no more to be had (EAGAIN).
    static func start(_ count: Int, _ body: @escaping @Sendable () -> Void) -> [pthread_t] {
        var threads: [pthread_t] = []
        for _ in 0..<max(0, count) {
            let box = Unmanaged.passRetained(Box(body))
            var thread = pthread_t()
            let status = pthread_create(
                &thread, nil,
                { argument in
                    Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
                    return nil
                }, box.toOpaque())
            if status == 0 {
                threads.append(thread)
            } else {
                box.release()
            }
        }
        return threads
    }

    static func join(_ threads: [pthread_t]) {
        for thread in threads { pthread_join(thread, nil) }
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
