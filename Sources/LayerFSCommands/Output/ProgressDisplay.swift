import Foundation
import Glibc
import LayerFSKit

/// Shows how far work has come on standard error once it has taken half a second: bars on a terminal, one line for each piece of
/// work that goes on at the time; lines every ten seconds elsewhere.
final class ProgressDisplay: Sendable {
    private let ending = DispatchSemaphore(value: 0)
    private let finished = DispatchSemaphore(value: 0)
    private let isShown: Bool

    /// - Parameter states: gives the pieces of work that go on at the moment.
    init(style: ProgressStyle, _ states: @escaping @Sendable () -> [ProgressMeter.State]) {
        isShown = style != .none
        guard isShown else { return }
        let drawsBar =
            style == .auto && isatty(STDERR_FILENO) == 1 && getenv("TERM").map { String(cString: $0) } != "dumb"
        Thread.detachNewThread { [self] in
            watch(states, every: drawsBar ? 0.1 : 10, drawsBar: drawsBar)
            finished.signal()
        }
    }

    /// Ends the display and takes the bars away.
    func end() {
        guard isShown else { return }
        ending.signal()
        finished.wait()
    }

    private func watch(_ states: () -> [ProgressMeter.State], every interval: Double, drawsBar: Bool) {
        let start = Date()
        var next = 0.5
        var drawn = 0
        // Whoever has ended does not wait for the next look: most work is done before the first.
        while ending.wait(timeout: .now() + .milliseconds(20)) == .timedOut {
            let elapsed = -start.timeIntervalSinceNow
            guard elapsed >= next else { continue }
            let shown = states().filter { !$0.activity.isEmpty }
            guard !shown.isEmpty else { continue }
            next = elapsed + interval
            // Of several pieces nobody knows when they began.
            let lines = shown.map { Self.line($0, elapsed: shown.count == 1 ? elapsed : nil) }
            if drawsBar {
                let bars = zip(shown, lines).map { "\(Self.bar($0)) \($1)\u{1b}[K\n" }
                Self.write(Self.back(drawn) + bars.joined() + "\u{1b}[J")
                drawn = bars.count
            } else {
                Self.write(lines.map { $0 + "\n" }.joined())
            }
        }
        if drawn > 0 { Self.write(Self.back(drawn) + "\u{1b}[J") }
    }

    /// To the beginning of the first of so many lines.
    private static func back(_ lines: Int) -> String { lines > 0 ? "\u{1b}[\(lines)A\r" : "" }

    private static func line(_ state: ProgressMeter.State, elapsed: Double?) -> String {
        let rate = elapsed.map { ", \(ByteCount(UInt64(Double(state.done) / max($0, 0.001))))/s" } ?? ""
        return state.total > 0
            ? "\(state.activity): \(ByteCount(state.done)) of \(ByteCount(state.total))\(rate)"
            : state.done > 0 ? "\(state.activity): \(ByteCount(state.done))\(rate)" : state.activity
    }

    private static func bar(_ state: ProgressMeter.State) -> String {
        guard state.total > 0 else { return "" }
        let width = 24
        let filled = Int(Double(width) * min(1, Double(state.done) / Double(state.total)))
        return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled) + "]"
    }

    private static func write(_ text: String) { _ = Glibc.write(STDERR_FILENO, text, text.utf8.count) }
}
