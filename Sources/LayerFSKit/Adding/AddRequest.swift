public import Bytes
public import Trees

/// What a person wants added: everything that `layerfs add` was told.
public struct AddRequest: Sendable {
    /// Names on PATH, or paths.
    public var programs: [ByteString] = []
    /// Installed packages, `name` or `name:architecture`.
    public var packages: [ByteString] = []
    /// Whether to take the package that owns each program, too.
    public var takesRestOfPackage = false
    /// Whether packages bring the packages that they depend on.
    public var takesDependencies = false
    /// Whether packages bring their documentation and translations.
    public var takesDocumentation = false
    /// Presets that become layers.
    public var presets: [String] = []
    /// Presets that go into the layer of each program.
    public var programPresets: [String] = []
    /// The layer that all goes into; nil: each program, package and preset becomes a layer of its own name.
    public var name: Name?
    public var files: [PathMapping] = []
    /// Directories, with all below them.
    public var directories: [PathMapping] = []
    /// Logs of strace(1): what they say was opened.
    public var traces: [ByteString] = []
    /// Paths of the layer that nothing but what programs need may have.
    public var excluded: [PathGlob] = []
    /// Owner of ``files`` and ``directories``; nil for each as it is.
    public var owner: (uid: UInt32, gid: UInt32)?
    /// Permissions of ``files`` and ``directories``, 0 to 0o7777; directories may be searched by whoever may read them.
    public var mode: UInt16?

    /// Whether ``directories`` are taken as they are, with devices and all times, and nothing is added to them.
    public var isExact = false

    /// Paths of this machine that the deny-list does not apply to.
    public var allowed: [ByteString] = []

    public init() {}

    var change: MetadataChange { MetadataChange(mode: mode, uid: owner?.uid, gid: owner?.gid) }

    /// Whether there is more than what becomes layers of its own name.
    var hasExtras: Bool { !files.isEmpty || !directories.isEmpty || !traces.isEmpty }

    /// The command, as the record of a layer of all of it shows it.
    var source: String {
        let words =
            programs.map(\.description) + packages.map { "--package \($0)" }
            + presets.map { "--preset \($0)" } + programPresets.map { "--with \($0)" }
        let extras =
            files.map { "--file \($0.text)" } + directories.map { "--dir \($0.text)" }
            + traces.map { "--trace \($0)" }
        // A list of files may have thousands; the provenance has them all.
        return (["layerfs add"] + words + extras.prefix(8) + (extras.count > 8 ? ["…"] : [])).joined(separator: " ")
    }
}
