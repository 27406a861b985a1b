import ArgumentParser
import LayerFSKit
import LayerStore
import Trees

extension LayerFSCommand {
    /// The verb that `arguments` ask for, where it is one that is used again and again and they are plain; nil leaves it to the parser.
    static func parsePlainly(_ arguments: [String]) -> (any ParsableCommand)? {
        let rest = Array(arguments.dropFirst())
        return switch arguments.first {
        case "add": try? AddCommand(plain: rest)
        case "resolve": try? ResolveCommand(plain: rest)
        case "materialize": try? MaterializeCommand(plain: rest)
        case "export": try? ExportCommand(plain: rest)
        default: nil
        }
    }
}

extension AddCommand {
    /// - Throws: ``PlainArguments/Unfamiliar``, what `validate()` throws.
    init(plain arguments: [String]) throws {
        let plain = try PlainArguments(
            arguments, flags: ["--replace", "--dry-run"] + OutputOptions.plainFlags + JSONOption.plainFlags,
            options: ["--name"] + ClosureOptions.plainOptions + SourceOptions.plainOptions + StoreOptions.plainOptions
                + OutputOptions.plainOptions)
        self.init()
        programs = plain.operands
        name = try plain.value("--name", as: Name.init)
        (replace, dryRun) = try (plain.has("--replace"), plain.has("--dry-run"))
        closureOptions = try ClosureOptions(plain: plain)
        sourceOptions = try SourceOptions(plain: plain)
        storeOptions = try StoreOptions(plain: plain)
        outputOptions = try OutputOptions(plain: plain)
        jsonOption = try JSONOption(plain: plain)
        try validate()
    }
}

extension ResolveCommand {
    /// - Throws: ``PlainArguments/Unfamiliar``.
    init(plain arguments: [String]) throws {
        let plain = try PlainArguments(
            arguments, flags: Form.allCases.map { "--\($0.rawValue)" } + OutputOptions.plainFlags,
            options: ClosureOptions.plainOptions + OutputOptions.plainOptions)
        guard !plain.operands.isEmpty else { throw PlainArguments.Unfamiliar() }
        self.init()
        programs = plain.operands
        let forms = try Form.allCases.filter { try plain.has("--\($0.rawValue)") }
        guard forms.count <= 1 else { throw PlainArguments.Unfamiliar() }
        form = forms.first ?? .list
        closureOptions = try ClosureOptions(plain: plain)
        outputOptions = try OutputOptions(plain: plain)
    }
}

extension MaterializeCommand {
    /// - Throws: ``PlainArguments/Unfamiliar``, `NameError`.
    init(plain arguments: [String]) throws {
        let plain = try PlainArguments(
            arguments, flags: ["--exact", "--devices"] + OutputOptions.plainFlags + JSONOption.plainFlags,
            options: ["--link"] + StoreOptions.plainOptions + OutputOptions.plainOptions)
        guard plain.operands.count == 2 else { throw PlainArguments.Unfamiliar() }
        self.init()
        expression = try RootExpression(plain.operands[0])
        directory = plain.operands[1]
        link = try plain.value("--link", as: LinkMode.init(rawValue:)) ?? .hard
        (exact, devices) = try (plain.has("--exact"), plain.has("--devices"))
        storeOptions = try StoreOptions(plain: plain)
        outputOptions = try OutputOptions(plain: plain)
        jsonOption = try JSONOption(plain: plain)
    }
}

extension ExportCommand {
    /// - Throws: ``PlainArguments/Unfamiliar``, `NameError`, what `validate()` throws.
    init(plain arguments: [String]) throws {
        let plain = try PlainArguments(
            arguments, flags: OutputOptions.plainFlags + JSONOption.plainFlags,
            options: ["--layers", "--name"] + ExportTargetOptions.plainOptions + CompressionOptions.plainOptions
                + StoreOptions.plainOptions + OutputOptions.plainOptions)
        guard (1...2).contains(plain.operands.count) else { throw PlainArguments.Unfamiliar() }
        self.init()
        expression = try RootExpression(plain.operands[0])
        place = plain.operands.count == 2 ? plain.operands[1] : nil
        target = try ExportTargetOptions(plain: plain)
        layers = try plain.value("--layers", as: ExportImage.LayerForm.init(rawValue:)) ?? .diff
        (maxLayers, estargz, recompress) = (nil, false, false)
        compression = try CompressionOptions(plain: plain)
        name = try plain.value("--name") { $0 }
        storeOptions = try StoreOptions(plain: plain)
        outputOptions = try OutputOptions(plain: plain)
        jsonOption = try JSONOption(plain: plain)
        try validate()
    }
}
