import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Programs that need more than libraries, each started in a root that holds nothing but its layer.
    @Suite(.needs("gcc", "python3", "openssl", "perl", "git", "curl", "getent", "date", "tput", "iconv"))
    struct EmptyRootTests {
        let folder: TemporaryDirectory
        let program: LayerFSProgram

        init() throws {
            folder = try TemporaryDirectory()
            program = LayerFSProgram(store: folder.path + "/store")
        }

        /// What a command prints in the root of what `add` adds as the layer `x`, which must be complete.
        private func output(of command: [String], environment: [String] = [], adding sources: [String]) throws -> String
        {
            try program.succeed(["add", "--name", "x"] + sources)
            try program.succeed("check", "x")
            let variables = environment.flatMap { ["--env", $0] }
            return try program.succeed(["run"] + variables + ["x", "--"] + command).text
        }

        static let cases: [(sources: [String], environment: [String], command: [String], output: String)] = [
            (["bash"], [], ["bash", "-c", "for i in 1 2; do echo $((i * 2)); done"], "2\n4\n"),
            (["ls"], [], ["ls", "/"], "bin\ndev\nlib\nlib64\nproc\nsys\ntmp\nusr\n"),
            (
                ["--package", "python3", "--with-depends"], [],
                ["python3", "-c", "import ssl, sqlite3, ctypes, json; print(json.dumps({'a': [1]}))"], "{\"a\": [1]}\n"
            ),
            (
                ["--package", "perl", "--with-depends"], [],
                ["perl", "-MPOSIX", "-MJSON::PP", "-e", "use strict; print encode_json([floor(3.7)])"], "[3]"
            ),
            (
                ["--package", "git", "sh", "--with-depends"], [],
                [
                    "sh", "-ec",
                    "cd /tmp && git init -q r && cd r && echo a > a && git add a && "
                        + "git -c user.name=n -c user.email=e commit -qm first && git log --format=%s && git fsck",
                ], "first\n"
            ),
            (
                ["getent", "--with", "nss"], [], ["getent", "hosts", "localhost"],
                "::1             localhost ip6-localhost ip6-loopback\n"
            ),
            (["id", "--with", "passwd"], [], ["id", "-un"], "root\n"),
            (["date", "--with", "tz"], ["TZ=Europe/Paris"], ["date", "-d", "@0", "+%H %Z"], "01 CET\n"),
            (["tput", "--with", "terminfo"], [], ["tput", "-T", "xterm", "colors"], "8\n"),
        ]

        @Test("A program does its work in a root of its own", arguments: cases)
        func working(sources: [String], environment: [String], command: [String], output expected: String) throws {
            #expect(try output(of: command, environment: environment, adding: sources) == expected)
        }

        @Test("curl fetches from a server whose certificate it checks")
        func transportSecurity() throws {
            let place = folder.path
            try folder.write("page", Array("fetched".utf8))
            try Tool.succeed(
                "sh",
                [
                    "-ec",
                    """
                    cd '\(place)'
                    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
                        -addext subjectAltName=DNS:localhost -keyout key.pem -out certificate.pem 2>/dev/null
                    """,
                ])
            let server = try LocalServer(
                """
                import http.server, os, ssl, sys
                os.chdir(sys.argv[1])
                server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain("certificate.pem", "key.pem")
                server.socket = context.wrap_socket(server.socket, server_side=True)
                print(server.server_port, flush=True)
                server.serve_forever()
                """, arguments: [place])
            defer { server.stop() }
            let url = "https://localhost:\(server.port)/page"
            try program.succeed(
                "add", "--name", "curl", "curl", "--with", "certs,nss", "--file",
                place + "/certificate.pem:/srv/ca.pem",
                "--allow", place)
            try program.succeed("check", "curl")
            #expect(
                try program.succeed("run", "curl", "--", "curl", "-sS", "--cacert", "/srv/ca.pem", url).text
                    == "fetched")
            // 60: the peer's certificate is unknown to the authorities that came with the layer. 77: there are none.
            #expect(try program.run("run", "curl", "--", "curl", "-sS", url).status == 60)
        }

        @Test("A program that ends its main thread finds libgcc_s, which only its own code could tell of")
        func cancellation() throws {
            try folder.write(
                "main.c",
                Array(
                    """
                    #include <pthread.h>
                    #include <unistd.h>
                    static void *work(void *unused) { sleep(1); write(1, "done\\n", 5); return unused; }
                    int main(void) {
                        pthread_t thread;
                        if (pthread_create(&thread, 0, work, 0)) return 1;
                        pthread_exit(0);
                    }
                    """.utf8))
            try Tool.succeed("gcc", ["-pthread", "-o", folder.path + "/ending", folder.path + "/main.c"])
            let path = folder.path + "/ending"
            #expect(try output(of: [path], adding: [path]) == "done\n")
        }

        @Test("Text is converted between encodings, whose modules no file names")
        func encodings() throws {
            try folder.write("text", Array("grün".utf8))
            let sources = [
                "iconv", "sh", "--with", "gconv", "--file", folder.path + "/text:/text", "--allow", folder.path,
            ]
            let command = [
                "sh", "-c",
                "iconv -f UTF-8 -t ISO-8859-1 /text | iconv -f ISO-8859-1 -t UTF-16BE | iconv -f UTF-16BE -t UTF-8",
            ]
            #expect(try output(of: command, adding: sources) == "grün")
        }
    }
}

/// A server in Python on a free port of this machine, which it prints first.
final class LocalServer {
    let port: Int
    private let process: Process

    init(_ script: String, arguments: [String]) throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: Tool.path(of: "python3") ?? "/usr/bin/python3")
        process.arguments = ["-c", script] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var line: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        guard let port = Int(String(decoding: line, as: UTF8.self)) else { throw NotStarted() }
        self.port = port
    }

    struct NotStarted: Error {}

    func stop() {
        // Python may have inherited a blocked SIGTERM from the thread that started it.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
