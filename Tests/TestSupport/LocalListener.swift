import Foundation

/// Listens at a port of this machine's own address until it is let go of, and serves each connection in a thread of its own.
///
/// A descriptor's number is given to the next who opens something as soon as it is closed. So only the thread that uses one
/// closes it: were the listening one closed elsewhere, the thread could accept connections that are meant for another test.
final class LocalListener: Sendable {
    let port: UInt16
    private let file: Int32

    /// - Parameter serve: is given a connection, which is closed when it returns.
    init(isIPv6: Bool = false, _ serve: @escaping @Sendable (Int32) -> Void) throws {
        let (file, port) = try LocalSocket.listen(isIPv6: isIPv6)
        (self.file, self.port) = (file, port)
        Thread.detachNewThread {
            while true {
                let connection = accept(file, nil, nil)
                if connection >= 0 {
                    Thread.detachNewThread {
                        serve(connection)
                        close(connection)
                    }
                } else if errno == EINVAL {
                    // It was shut down.
                    break
                }
            }
            close(file)
        }
    }

    // accept(2) returns from it, and the thread closes the descriptor.
    deinit { shutdown(file, Int32(SHUT_RDWR)) }
}
