import Glibc

/// A small root in a temporary directory, made of the machine's own programs and what ldd says they need.
///
/// It belongs to an unprivileged user, so that both that user and root may write in it.
final class TestRoot: Sendable {
    let path: String

    static let programs = [
        "bash", "cat", "env", "id", "ls", "mkdir", "mv", "perl", "readlink", "rm", "rmdir", "sleep", "stat", "tty",
    ]

    init() throws {
        let made = try Child.run(["mktemp", "-d", "/tmp/layerfs-sandbox.XXXXXX"])
        path = String(made.output.dropLast())
        let script = """
            set -e; root=$1; shift; chmod 755 "$root"; cd "$root"
            mkdir -p usr/bin usr/lib usr/lib64 etc; ln -s usr/bin bin; ln -s usr/lib lib; ln -s usr/lib64 lib64
            for name; do
                file=$(readlink -f "$(PATH=/usr/bin:/bin command -v "$name")"); cp "$file" "usr/bin/$name"
                for library in $(ldd "$file" | grep -o '/[^ ]*'); do
                    mkdir -p ".$(dirname "$library")"; cp -L "$library" ".$library"
                done
            done
            printf '#!/bin/nowhere\\n' > usr/bin/orphan; printf 'plain text\\n' > usr/bin/text
            chmod 755 usr/bin/orphan usr/bin/text; mkdir usr/bin/folder; echo hello > etc/file
            [ "$(id -u)" != 0 ] || chown -hR \(Caller.unprivilegedUser):\(Caller.unprivilegedUser) .
            """
        let built = try Child.run(["bash", "-c", script, "bash", path] + Self.programs)
        guard built.status == 0 else { throw Failure(text: built.errors) }
    }

    deinit { _ = try? Child.run(["rm", "-rf", path]) }

    /// Name, type, mode, owner, links, size, times and content of everything in it.
    func fingerprint() throws -> String {
        let script = """
            cd "$1" && find . -printf '%p %y %m %U:%G %n %s %T@ %C@ %l\\n' | sort && \
            find . -type f -print0 | sort -z | xargs -0 sha256sum
            """
        let outcome = try Child.run(["bash", "-c", script, "bash", path])
        guard outcome.status == 0 else { throw Failure(text: outcome.errors) }
        return outcome.output
    }

    struct Failure: Error {
        var text: String
    }
}
