import Bytes
import Posix

/// A connection to a server on this machine, in the clear, for one question after the other. Waits for each answer.
struct NearbyConnection: ~Copyable {
    /// What is to be told of an answer.
    struct Answer {
        var head: ResponseHead
        var body: [UInt8]
    }

    enum Method: String {
        case get = "GET", head = "HEAD"
    }

    /// The server does not answer, or not in the plain way.
    struct Unclear: Error {}

    private static let headLimit = 16 << 10
    /// In seconds. Whoever is slower is asked by those who have more patience.
    private static let patience = 5

    private let origin: Origin
    private let address: [UInt8]
    private var socket: OwnedDescriptor?

    /// - Parameter origin: of which ``Origin/isLoopback`` is true.
    init(_ origin: Origin) {
        self.origin = origin
        address = IPAddress(origin.host)?.bytes ?? [127, 0, 0, 1]
    }

    /// Asks for `path`.
    ///
    /// - Parameter limit: of the body, which of HEAD is none.
    /// - Throws: ``Unclear``.
    mutating func ask(
        _ method: Method, _ path: String, _ headers: [(name: String, value: String)] = [], limit: Int = 0
    ) throws(Unclear) -> Answer {
        let lines =
            ["\(method.rawValue) \(path) HTTP/1.1", "Host: \(origin.authority)", "User-Agent: layerfs"]
            + headers.map { "\($0.name): \($0.value)" }
        // What comes from a command line is no part of another line.
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw Unclear() }
        do {
            let open = try connected()
            try open.writeAll(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
            let answer = try Self.answer(from: open, hasBody: method != .head, limit: limit)
            if answer.head.staysOpen { socket = consume open }
            return answer
        } catch {
            throw Unclear()
        }
    }

    /// The connection that is open, or a new one.
    private mutating func connected() throws -> OwnedDescriptor {
        if let open = socket.take() { return open }
        return try LoopbackSocket.connect(address, port: origin.port, patience: Self.patience)
    }

    private static func answer(
        from socket: borrowing OwnedDescriptor, hasBody: Bool, limit: Int
    ) throws -> Answer {
        var bytes = [UInt8](repeating: 0, count: headLimit)
        var count = 0
        var end: Int?
        while end == nil {
            let searched = max(0, count - 3)
            let received = try bytes.withUnsafeMutableBytes {
                try socket.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[count...]))
            }
            if received == 0 { throw Unclear() }
            count += received
            end = (searched..<max(searched, count - 3)).first { position in
                bytes[position] == 0x0D && bytes[position + 1] == 0x0A && bytes[position + 2] == 0x0D
                    && bytes[position + 3] == 0x0A
            }
        }
        guard let end, let head = ResponseHead(bytes[..<end]) else { throw Unclear() }
        let length = hasBody ? head.contentLength : 0
        var body = Array(bytes[(end + 4)..<count])
        // What comes beyond it nobody asked for.
        guard length <= limit, body.count <= length else { throw Unclear() }
        body += try socket.readPrefix(length - body.count)
        guard body.count == length else { throw Unclear() }
        return Answer(head: head, body: body)
    }
}
