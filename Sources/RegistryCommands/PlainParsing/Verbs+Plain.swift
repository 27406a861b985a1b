import ArgumentParser
import LayerFSCommands
import LayerFSKit
import OCI
import Trees

// See `PlainArguments`; that these are what the parser makes of the same words, PlainCommandTests says.

extension RegistryCommand {
    /// The verb that `arguments` ask for, where it is one that is used again and again and they are plain; nil leaves it to the parser.
    static func parsePlainly(_ arguments: [String]) -> (any ParsableCommand)? {
        let rest = Array(arguments.dropFirst())
        return switch arguments.first {
        case "push": try? PushCommand(plain: rest)
        case "pull": try? PullCommand(plain: rest)
        default: nil
        }
    }
}

extension ConnectionOptions {
    static let plainOptions = ["--tls-verify", "--ca", "--cert-dir", "--authfile", "--jobs", "--attempts"]

    /// - Throws: `PlainArguments.Unfamiliar`, what `validate()` throws.
    init(plain: PlainArguments) throws {
        self.init()
        tlsVerify = try plain.value("--tls-verify") { Bool($0) } ?? true
        authorities = plain.all("--ca")
        certDir = try plain.value("--cert-dir") { $0 }
        authFile = try plain.value("--authfile") { $0 }
        jobs = try plain.value("--jobs") { Int($0) } ?? 4
        attempts = try plain.value("--attempts") { Int($0) } ?? 5
        (trustRealm, chunkSize, debug) = ([], nil, false)
        try validate()
    }
}

extension ArtifactOptions {
    /// Without any.
    static var none: ArtifactOptions {
        var options = ArtifactOptions()
        (options.attach, options.artifactType) = ([], [])
        return options
    }
}

extension PushCommand {
    /// - Throws: `PlainArguments.Unfamiliar`, what `validate()` throws.
    init(plain arguments: [String]) throws {
        let plain = try PlainArguments(
            arguments, flags: OutputOptions.plainFlags + JSONOption.plainFlags,
            options: ["--layers"] + CompressionOptions.plainOptions + ConnectionOptions.plainOptions
                + StoreOptions.plainOptions + OutputOptions.plainOptions)
        guard !plain.operands.isEmpty else { throw PlainArguments.Unfamiliar() }
        self.init()
        operands = plain.operands
        layers = try plain.value("--layers", as: ExportImage.LayerForm.init(rawValue:)) ?? .diff
        compression = try CompressionOptions(plain: plain)
        (recompress, maxLayers, estargz, mountFrom) = (false, nil, false, [])
        artifacts = .none
        connection = try ConnectionOptions(plain: plain)
        storeOptions = try StoreOptions(plain: plain)
        outputOptions = try OutputOptions(plain: plain)
        jsonOption = try JSONOption(plain: plain)
        try validate()
    }
}

extension PullCommand {
    /// - Throws: `PlainArguments.Unfamiliar`, `NameError`, what `validate()` throws.
    init(plain arguments: [String]) throws {
        let plain = try PlainArguments(
            arguments, flags: ["--replace"] + OutputOptions.plainFlags + JSONOption.plainFlags,
            options: ["-t", "--tag", "--oci", "--platform"] + ConnectionOptions.plainOptions
                + StoreOptions.plainOptions + OutputOptions.plainOptions)
        self.init()
        place = try plain.operand()
        name = try plain.value("-t", "--tag", as: Name.init)
        replace = try plain.has("--replace")
        oci = try plain.value("--oci") { $0 }
        platform = try plain.value("--platform") { $0 }
        allPlatforms = false
        connection = try ConnectionOptions(plain: plain)
        storeOptions = try StoreOptions(plain: plain)
        outputOptions = try OutputOptions(plain: plain)
        jsonOption = try JSONOption(plain: plain)
        try validate()
    }
}
