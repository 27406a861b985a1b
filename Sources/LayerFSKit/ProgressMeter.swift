public import Posix
import Synchronization

/// How far a long piece of work has come; read by whoever shows it.
public final class ProgressMeter: Sendable {
    /// Nobody watches.
    public static let none = ProgressMeter()

    private let state = Mutex(State())

    /// A moment of the work.
    public struct State: Sendable {
        /// What is being done: `copying`; empty before anything is.
        public var activity = ""
        /// In units of the activity, bytes mostly.
        public var done: UInt64 = 0
        /// 0 while it is not known.
        public var total: UInt64 = 0

        public init(activity: String = "", done: UInt64 = 0, total: UInt64 = 0) {
            self.activity = activity
            self.done = done
            self.total = total
        }
    }

    public init() {}

    /// The state at this moment.
    public var current: State { state.withLock { $0 } }

    /// Begins an activity of `total` units.
    public func begin(_ activity: String, total: UInt64) {
        state.withLock { $0 = State(activity: activity, done: 0, total: total) }
    }

    /// Counts `units` as done.
    ///
    /// - Throws: ``Interruption`` when the process was told to end: long work asks here whether to go on.
    public func advance(by units: UInt64) throws(Interruption) {
        state.withLock { $0.done &+= units }
        try Interruption.check()
    }
}
