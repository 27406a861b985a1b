import Bytes
import Posix

/// The files that dpkg installs under another name, for the sake of another package's (dpkg-divert(1)).
struct Diversions {
    /// By the diverted name.
    private var diverted: [ByteString: (to: ByteString, by: ByteString)] = [:]
    /// The diverted name, by the name the file has instead.
    private var origins: [ByteString: ByteString] = [:]

    /// Nobody has so many; a damaged file may.
    private static let limit = 100_000

    init() {}

    /// Reads `diversions`: three lines each, the diverted name, the new one, and the package whose file keeps the old.
    init(_ file: borrowing OwnedDescriptor, _ reader: borrowing LineReader) {
        var lines: [ByteString] = []
        reader.forEachLine(of: file) { line in
            if diverted.count < Self.limit { lines.append(ByteString(line)) }
            if lines.count == 3 {
                diverted[lines[0]] = (lines[1], lines[2])
                origins[lines[1]] = lines[0]
                lines.removeAll(keepingCapacity: true)
            }
        }
    }

    /// The names under which package lists have the file `path`: its own, and the one it was diverted from.
    func listedNames(of path: ByteString) -> [ByteString] { [path] + (origins[path].map { [$0] } ?? []) }

    /// The name that the file `listed` of `package` has on disk.
    func installedName(of listed: ByteString, in package: ByteString) -> ByteString {
        // ":" is the administrator, who is no package: then every package's file is diverted.
        guard let diversion = diverted[listed], diversion.by != package else { return listed }
        return diversion.to
    }
}
