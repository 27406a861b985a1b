import Foundation
import Glibc
import LayerFSKit
import Synchronization

/// Shows a ``ProgressMeter`` on standard error once it has taken half a second: a bar on a terminal, a line every ten seconds
/// elsewhere.
final class ProgressDisplay: Sendable {
    private let ended = Atomic(false)
    private let finished = DispatchSemaphore(value: 0)
    private let isShown: Bool

    init(_ progress: ProgressMeter, style: ProgressStyle) {
        isShown = style != .none
        guard isShown else { return }
        let drawsBar =
            style == .auto && isatty(STDERR_FILENO) == 1 && getenv("TERM").map { String(cString: $0) } != "dumb"
        Thread.detachNewThread { [self] in
            watch(progress, every: drawsBar ? 0.1 : 10, drawsBar: drawsBar)
            finished.signal()
        }
    }

    /// Ends the display and takes the bar away.
    func end() {
        guard isShown else { return }
        ended.store(true, ordering: .releasing)
        finished.wait()
    }

    private func watch(_ progress: ProgressMeter, every interval: Double, drawsBar: Bool) {
        let start = Date()
        var next = 0.5
        var drawn = false
        while !ended.load(ordering: .acquiring) {
            usleep(20_000)
            let elapsed = -start.timeIntervalSinceNow
            let state = progress.current
            guard elapsed >= next, !state.activity.isEmpty else { continue }
            next = elapsed + interval
            let line = Self.line(state, elapsed: elapsed)
            if drawsBar {
                Self.write("\r\u{1b}[K\(Self.bar(state)) \(line)")
                drawn = true
            } else {
                Self.write("\(line)\n")
            }
        }
        if drawn { Self.write("\r\u{1b}[K") }
    }

    private static func line(_ state: ProgressMeter.State, elapsed: Double) -> String {
        let rate = ByteCount(UInt64(Double(state.done) / max(elapsed, 0.001)))
        return state.total > 0
            ? "\(state.activity): \(ByteCount(state.done)) of \(ByteCount(state.total)), \(rate)/s"
            : state.done > 0 ? "\(state.activity): \(ByteCount(state.done)), \(rate)/s" : state.activity
    }

    private static func bar(_ state: ProgressMeter.State) -> String {
        guard state.total > 0 else { return "" }
        let width = 24
        let filled = Int(Double(width) * min(1, Double(state.done) / Double(state.total)))
        return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled) + "]"
    }

    private static func write(_ text: String) { _ = Glibc.write(STDERR_FILENO, text, text.utf8.count) }
}
