import Bytes
import Posix

/// Finds programs by name, as execvp(3) does with PATH.
struct ProgramFinder {
    let root: SourceRoot
    let path: [ByteString]

    /// The first executable regular file called `name` in the directories of `path`, with its directory.
    ///
    /// - Throws: what was tried, when there is none.
    func find(_ name: ByteString) throws(Miss) -> (file: ResolvedPath, directory: ByteString) {
        var miss = Miss()
        for directory in path {
            let candidate = directory.hasSuffix("/") ? directory + name : directory + "/" + name
            do {
                let file = try root.resolve(candidate)
                if file.status.kind == .regular, file.status.permissions & 0o111 != 0 { return (file, directory) }
                miss.attempts.append(SearchAttempt(path: candidate, place: .path(directory), rejection: .notExecutable))
            } catch {
                miss.attempts.append(
                    SearchAttempt(path: candidate, place: .path(directory), rejection: .unreachable(error.reason)))
            }
        }
        throw miss
    }

    struct Miss: Error { var attempts: [SearchAttempt] = [] }

    /// Up to three names of programs in `path` that `name` may be a misspelling of, the nearest first.
    func similar(to name: ByteString) -> [ByteString] {
        // Two letters of a short name are most of it.
        let limit = name.count <= 3 ? 1 : 2
        var found: [ByteString: Int] = [:]
        for candidate in path.flatMap({ root.names(in: $0) })
        where abs(candidate.count - name.count) <= limit && found[candidate] == nil {
            let distance = EditDistance.distance(name.bytes, candidate.bytes)
            if distance <= limit, (try? find(candidate)) != nil { found[candidate] = distance }
        }
        return found.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.prefix(3).map(\.key)
    }
}
