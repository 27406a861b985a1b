package import ArgumentParser

extension ParsableCommand {
    /// Parses the arguments of this process, without its name, as `parseAsRoot` does.
    ///
    /// The parser looks at all verbs and their options before it looks at the one that is meant, which costs more than many a verb's
    /// work. So the verb that the first argument names gets the rest directly. Where that does not give the verb, for whatever reason
    /// (the parser's own command that shows help, an error), everything is parsed again as usual: all that is said is what it was.
    ///
    /// - Throws: what `parseAsRoot` throws.
    package static func parseVerb(_ arguments: [String]) throws -> any ParsableCommand {
        let rest = Array(arguments.dropFirst())
        // Shells ask so for completions; the whole command line is to be known then.
        if let verb = arguments.first.flatMap(verb(named:)), rest.first?.hasPrefix("---") != true,
            let command = try? verb.parseAsRoot(rest), type(of: command) == verb
        {
            return command
        }
        return try parseAsRoot(arguments)
    }

    /// The verb with this name, if it has no verbs of its own.
    private static func verb(named name: String) -> (any ParsableCommand.Type)? {
        let found = configuration.subcommands.first { $0.configuration.commandName == name }
        return found?.configuration.subcommands.isEmpty == true ? found : nil
    }
}
