import Foundation

/// Speaks TLS on 127.0.0.1, and passes what it hears to a plain server: a small program in Python.
public struct TLSFront: Sendable {
    /// `127.0.0.1:PORT`.
    public let host: String
    public let certificates: TestCertificates

    /// Runs `body` with TLS in front of the server at `port` of 127.0.0.1.
    public static func whileRunning<Result>(
        before port: UInt16, _ body: (TLSFront) async throws -> Result
    ) async throws -> Result {
        let folder = try TemporaryDirectory()
        let certificates = try TestCertificates(in: folder)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Tool.path(of: "python3") ?? "/usr/bin/python3")
        process.arguments = ["-c", script, certificates.certificate, certificates.key, "\(port)"]
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
        defer {
            // Threads of Swift block signals, and their children inherit that: SIGTERM would not reach it.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        // It writes its port, and a newline, at once.
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let host = "127.0.0.1:" + line.trimmingCharacters(in: .whitespacesAndNewlines)
        return try await body(TLSFront(host: host, certificates: certificates))
    }

    private static let script = """
        import socket, ssl, sys, threading
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)

        def pump(source, target):
            try:
                while data := source.recv(65536):
                    target.sendall(data)
                target.shutdown(socket.SHUT_WR)
            except OSError:
                pass

        def serve(connection):
            try:
                secure = context.wrap_socket(connection, server_side=True)
                inner = socket.create_connection(("127.0.0.1", int(sys.argv[3])))
            except OSError:
                return
            threading.Thread(target=pump, args=(secure, inner), daemon=True).start()
            pump(inner, secure)

        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """
}
