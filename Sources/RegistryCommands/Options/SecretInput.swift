import ArgumentParser
import Bytes
import Glibc
import LayerFSCommands
import Posix
import Registry

/// Asks for what nobody is to see.
enum SecretInput {
    private static let lengthLimit = 64 << 10

    /// The credentials that a person types, or of which a program pipes the password.
    ///
    /// - Throws: a validation error when there is nobody to ask.
    static func credential(host: String, user: String?, isPiped: Bool) throws -> Credential {
        if isPiped {
            let input = try OwnedDescriptor(duplicating: STDIN_FILENO, path: "standard input").readAll(
                limit: lengthLimit)
            let password = String(decoding: input.prefix { $0 != 0x0a && $0 != 0x0d }, as: UTF8.self)
            guard !password.isEmpty else { throw ValidationError("There is no password on standard input.") }
            return .password(user: user ?? "", password)
        }
        guard Console.standardInputIsTerminal else {
            throw ValidationError("There is no terminal to ask at: use --username and --password-stdin.")
        }
        let name = try user ?? ask("User for \(host): ")
        let password = try withoutEcho { try ask("Password: ") }
        Console.say("")
        return .password(user: name, password)
    }

    private static func ask(_ question: String) throws -> String {
        _ = Glibc.write(STDERR_FILENO, question, question.utf8.count)
        guard let line = readLine(), !line.isEmpty else { throw ValidationError("Nothing was entered.") }
        return line
    }

    private static func withoutEcho<Result>(_ body: () throws -> Result) rethrows -> Result {
        var old = termios()
        guard tcgetattr(STDIN_FILENO, &old) == 0 else { return try body() }
        var quiet = old
        quiet.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &old) }
        return try body()
    }
}
