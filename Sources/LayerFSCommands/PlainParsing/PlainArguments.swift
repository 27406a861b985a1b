/// The arguments of a verb, read without the argument parser: operands, flags, and options with a value, each written out.
///
/// The parser finds out by reflection what a verb takes, several times: that is more work than what `add` does for a program that it
/// knows (docs/decisions/0035-plain-command-lines.md). Whatever is not one of the plain forms, be it help, a wrong value or a word
/// that is only missing, is ``Unfamiliar`` here and left to the parser, so that all that is said is what the parser says.
package struct PlainArguments {
    /// What is to be left to the parser.
    package struct Unfamiliar: Error {
        package init() {}
    }

    package let operands: [String]
    private let flags: [String]
    private let values: [(option: String, value: String)]

    /// - Parameters:
    ///   - flags: the flags of the verb that are plain, with their dashes.
    ///   - options: its options that take a value and are plain.
    /// - Throws: ``Unfamiliar``.
    package init(_ arguments: [String], flags: [String], options: [String]) throws {
        var operands: [String] = []
        var found: [String] = []
        var values: [(option: String, value: String)] = []
        operands.reserveCapacity(arguments.count)
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if word.utf8.first != UInt8(ascii: "-") {
                if word.isEmpty { throw Unfamiliar() }
                operands.append(word)
            } else if flags.contains(word) {
                // Of two that say something each the parser knows which one counts.
                if found.contains(word) { throw Unfamiliar() }
                found.append(word)
            } else if options.contains(word) {
                guard let value = rest.popFirst(), !value.isEmpty, value.utf8.first != UInt8(ascii: "-") else {
                    throw Unfamiliar()
                }
                values.append((word, value))
            } else if word.hasPrefix("--"), let sign = word.firstIndex(of: "="), options.contains(String(word[..<sign]))
            {
                let value = String(word[word.index(after: sign)...])
                if value.isEmpty { throw Unfamiliar() }
                values.append((String(word[..<sign]), value))
            } else {
                throw Unfamiliar()
            }
        }
        (self.operands, self.flags, self.values) = (operands, found, values)
    }

    /// Whether the flag with one of `names` is there.
    ///
    /// - Throws: ``Unfamiliar`` when it is there by several names.
    package func has(_ names: String...) throws -> Bool {
        let count = flags.count { names.contains($0) }
        if count > 1 { throw Unfamiliar() }
        return count == 1
    }

    /// All values of the option with one of `names`, in their order.
    package func all(_ names: String...) -> [String] { values.filter { names.contains($0.option) }.map(\.value) }

    /// The value of the option with one of `names`, as `make` reads it; nil where it is not there.
    ///
    /// - Throws: ``Unfamiliar`` when it is there several times or cannot be read.
    package func value<Value>(_ names: String..., as make: (String) throws -> Value?) throws -> Value? {
        let found = values.filter { names.contains($0.option) }
        guard let only = found.first else { return nil }
        guard found.count == 1, let value = try make(only.value) else { throw Unfamiliar() }
        return value
    }

    /// The only operand.
    ///
    /// - Throws: ``Unfamiliar`` when there are others.
    package func operand() throws -> String {
        guard operands.count == 1 else { throw Unfamiliar() }
        return operands[0]
    }
}
