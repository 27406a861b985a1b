import Foundation
import Synchronization

/// A SOCKS 5 proxy (RFC 1928) on 127.0.0.1 that leads everybody to one server, and remembers where they wanted to go.
public final class SOCKSDouble: Sendable {
    public var port: UInt16 { listener.port }
    /// `name:port`, as it was asked for.
    public var targets: [String] { log.value.withLock { $0 } }

    private final class Log: Sendable { let value = Mutex<[String]>([]) }
    private let log = Log()
    private let listener: LocalListener

    /// - Parameter server: a port of 127.0.0.1.
    public init(leadingTo server: UInt16) throws {
        let log = log
        listener = try LocalListener { Self.serve($0, server, log) }
    }

    private static func serve(_ client: Int32, _ server: UInt16, _ log: Log) {
        guard let greeting = LocalSocket.receive(exactly: 2, client), greeting[0] == 5,
            LocalSocket.receive(exactly: Int(greeting[1]), client) != nil, LocalSocket.send([5, 0], to: client),
            let target = target(client)
        else { return }
        log.value.withLock { $0.append(target) }
        guard let upstream = LocalSocket.connect(to: server) else { return }
        LocalSocket.send([5, 0, 0, 1, 127, 0, 0, 1, 0, 0], to: client)
        let isDone = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            pump(client, upstream)
            isDone.signal()
        }
        pump(upstream, client)
        // Nothing is closed that the other thread still reads.
        isDone.wait()
        close(upstream)
    }

    /// Where the client wants to go (section 4).
    private static func target(_ client: Int32) -> String? {
        guard let head = LocalSocket.receive(exactly: 4, client), head[1] == 1 else { return nil }
        let host: String
        switch head[3] {
        case 1:
            guard let bytes = LocalSocket.receive(exactly: 4, client) else { return nil }
            host = bytes.map { String($0) }.joined(separator: ".")
        case 3:
            guard let length = LocalSocket.receive(exactly: 1, client),
                let bytes = LocalSocket.receive(exactly: Int(length[0]), client)
            else { return nil }
            host = String(decoding: bytes, as: UTF8.self)
        default: return nil
        }
        guard let port = LocalSocket.receive(exactly: 2, client) else { return nil }
        return "\(host):\(UInt16(port[0]) << 8 | UInt16(port[1]))"
    }

    private static func pump(_ source: Int32, _ target: Int32) {
        while let bytes = LocalSocket.receive(source) { if !LocalSocket.send(bytes, to: target) { break } }
        shutdown(target, Int32(SHUT_WR))
    }
}
