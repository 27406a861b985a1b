import Bytes
import Glibc

/// The output of a command, and a scratch directory that ends with the test.
enum Machine {
    static func output(_ command: String) -> String {
        guard let pipe = popen(command, "r") else { return "" }
        defer { pclose(pipe) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static let hasDpkg = getenv("CI") != nil || output("command -v dpkg") != ""
}

/// A root with a package database made for a test.
final class TestDatabase: Sendable {
    let root: ByteString

    /// - Parameter files: Contents by path below `var/lib/dpkg`.
    init(_ files: [String: [UInt8]], setUp: String = "") {
        let path = Machine.output("mktemp -d /tmp/layerfs-packages.XXXXXX").split(separator: "\n").joined()
        root = ByteString(path)
        _ = Machine.output("cd '\(path)' && mkdir -p var/lib/dpkg/info && \(setUp.isEmpty ? ":" : setUp)")
        for (name, content) in files {
            guard let file = fopen(path + "/var/lib/dpkg/" + name, "w") else { continue }
            fwrite(content, 1, content.count, file)
            fclose(file)
        }
    }

    convenience init(_ files: [String: String], setUp: String = "") {
        self.init(files.mapValues { Array($0.utf8) }, setUp: setUp)
    }

    deinit { _ = Machine.output("rm -rf '\(root)'") }
}
