public import Bytes
public import ELF

/// What is compiled into a dynamic loader and decides where it searches.
public struct LoaderConstants: Hashable, Sendable {
    /// The directories searched last, in order, each with its final slash.
    public var systemDirectories: [ByteString]
    /// The values of `$LIB` and `$PLATFORM`; an element that uses an unknown one is dropped.
    public var libraryToken: ByteString?
    public var platform: ByteString?
    /// The `glibc-hwcaps` subdirectories the loader knows, best first.
    public var hardwareCapabilities: [ByteString]
    /// Nil when the loader does not tell.
    public var version: GlibcVersion?
    /// Where these values are from.
    public var origin: Origin

    public enum Origin: Hashable, Sendable {
        /// Read from the loader's file.
        case loader
        /// Upstream's defaults for the machine, since the loader's file told nothing.
        case table
    }

    init(
        systemDirectories: [ByteString], libraryToken: ByteString?, platform: ByteString?,
        hardwareCapabilities: [ByteString], version: GlibcVersion?, origin: Origin
    ) {
        self.systemDirectories = systemDirectories
        self.libraryToken = libraryToken
        self.platform = platform
        self.hardwareCapabilities = hardwareCapabilities
        self.version = version
        self.origin = origin
    }

    /// The constants for `header`'s machine, from the read-only data of the loader whose file is `bytes`; upstream's
    /// defaults where it tells nothing.
    public init(loader bytes: [UInt8], header: ELFHeader) {
        self = MachineDefaults(header).constants
        let scan = LoaderScan(bytes)
        if let directories = scan.systemDirectories {
            systemDirectories = directories
            // glibc's configure makes both from one value: slibdir is `/` + $LIB.
            libraryToken = directories.first.map { ByteString($0.bytes.dropFirst().dropLast()) }
            origin = .loader
        }
        if let names = scan.hardwareCapabilities { hardwareCapabilities = names }
        version = scan.version
    }

    /// Upstream's defaults for a machine.
    public init(defaultsFor header: ELFHeader) {
        self = MachineDefaults(header).constants
    }
}
