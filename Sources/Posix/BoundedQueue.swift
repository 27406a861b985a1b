import Synchronization

/// Values on their way from one thread to another, in order, a few at most.
public final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var values: [Element] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let room = CountingSemaphore()
    private let filled = CountingSemaphore()

    /// - Parameter capacity: how many values may wait.
    public init(capacity: Int) {
        for _ in 0..<capacity { room.signal() }
    }

    /// Adds a value; waits while there is no room.
    ///
    /// - Returns: false when the queue is closed: nobody will take it.
    public func put(_ value: Element) -> Bool {
        room.wait()
        let isTaken = state.withLock { state in
            if !state.isClosed { state.values.append(value) }
            return !state.isClosed
        }
        // Whoever waits for room next is to learn of it, too.
        if isTaken { filled.signal() } else { room.signal() }
        return isTaken
    }

    /// The oldest value; waits for it.
    public func take() -> Element {
        filled.wait()
        let value = state.withLock { $0.values.removeFirst() }
        room.signal()
        return value
    }

    /// Lets no more values in; whoever waits for room goes on.
    public func close() {
        state.withLock { $0.isClosed = true }
        room.signal()
    }
}
