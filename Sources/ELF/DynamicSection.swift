public import Bytes

/// What the dynamic section (PT_DYNAMIC) tells the dynamic loader: gABI, "Dynamic Section", and the Sun and GNU
/// extensions that glibc reads.
public struct DynamicSection: Hashable, Sendable {
    /// The objects to load with this one, in the order of their entries, which is the order of loading.
    public var dependencies: [Dependency] = []
    /// DT_SONAME: the name other objects ask for this one by.
    public var soname: ByteString?
    /// DT_RPATH, colon-separated; searched for this object's needs and those of the objects it brings.
    public var rpath: ByteString?
    /// DT_RUNPATH, colon-separated; searched for this object's own needs only.
    public var runpath: ByteString?
    /// DT_FLAGS and DT_FLAGS_1.
    public var flags: UInt64 = 0
    public var flags1: Flags1 = []
    /// DT_AUDIT and DT_DEPAUDIT: colon-separated auditing libraries.
    public var audit: ByteString?
    public var dependencyAudit: ByteString?
    /// What the object asks of the symbol versions of others, and which it defines itself.
    public var versionNeeds: [VersionNeed] = []
    public var versionDefinitions: [ByteString] = []
    /// Whether there is a table of versions at all (DT_VERDEF), be it that it defines nothing but the object's own
    /// name.
    public var definesVersions = false
    /// Where the dynamic symbols lie; read on demand by ``ELFImage/dynamicSymbols(_:reading:)``.
    public var symbolTable: SymbolTable?

    public init() {}

    /// The names of the DT_NEEDED entries, in order.
    public var needed: [ByteString] { dependencies.compactMap { $0.kind == .needed ? $0.name : nil } }

    /// An entry that makes the loader load another object.
    public struct Dependency: Hashable, Sendable {
        public var kind: Kind
        public var name: ByteString

        public init(_ kind: Kind, _ name: ByteString) {
            self.kind = kind
            self.name = name
        }

        public enum Kind: Hashable, Sendable {
            case needed
            /// DT_FILTER: its symbols come from the named object, which must be there.
            case filter
            /// DT_AUXILIARY: as filter, but the named object may be absent.
            case auxiliary
        }
    }

    /// DT_FLAGS_1, of which the closure depends on two.
    public struct Flags1: OptionSet, Hashable, Sendable {
        public let rawValue: UInt64

        public init(rawValue: UInt64) { self.rawValue = rawValue }

        /// DF_1_NODEFLIB: neither cache entries of system directories nor these directories are used.
        public static let noDefaultLibraries = Flags1(rawValue: 0x800)
        /// DF_1_PIE: a program, not a library, although ET_DYN.
        public static let positionIndependentExecutable = Flags1(rawValue: 0x0800_0000)
    }
}

/// The symbol versions that an object needs of one library (`.gnu.version_r`, LSB core, Symbol Versioning).
public struct VersionNeed: Hashable, Sendable {
    /// The library's name as in DT_NEEDED.
    public var library: ByteString
    public var versions: [Version]

    public struct Version: Hashable, Sendable {
        public var name: ByteString
        /// VER_FLG_WEAK: its absence is no error.
        public var isWeak: Bool
    }
}

/// The tags of dynamic entries that are read.
public enum DynamicTag: UInt64, Hashable, Sendable, CustomStringConvertible {
    case null = 0
    case needed = 1
    case procedureLinkageTable = 3
    case hash = 4
    case stringTable = 5
    case symbolTable = 6
    case relocationsWithAddends = 7
    case stringTableSize = 10
    case symbolEntrySize = 11
    case soname = 14
    case rpath = 15
    case relocations = 17
    case linkageRelocations = 23
    case runpath = 29
    case flags = 30
    case gnuHash = 0x6fff_fef5
    case dependencyAudit = 0x6fff_fefb
    case audit = 0x6fff_fefc
    case symbolVersions = 0x6fff_fff0
    case flags1 = 0x6fff_fffb
    case versionDefinitions = 0x6fff_fffc
    case versionDefinitionCount = 0x6fff_fffd
    case versionNeeds = 0x6fff_fffe
    case versionNeedCount = 0x6fff_ffff
    case auxiliary = 0x7fff_fffd
    case filter = 0x7fff_ffff

    /// The name of the C constant.
    public var description: String {
        switch self {
        case .null: "DT_NULL"
        case .needed: "DT_NEEDED"
        case .procedureLinkageTable: "DT_PLTGOT"
        case .hash: "DT_HASH"
        case .stringTable: "DT_STRTAB"
        case .symbolTable: "DT_SYMTAB"
        case .relocationsWithAddends: "DT_RELA"
        case .stringTableSize: "DT_STRSZ"
        case .symbolEntrySize: "DT_SYMENT"
        case .soname: "DT_SONAME"
        case .rpath: "DT_RPATH"
        case .relocations: "DT_REL"
        case .linkageRelocations: "DT_JMPREL"
        case .runpath: "DT_RUNPATH"
        case .flags: "DT_FLAGS"
        case .gnuHash: "DT_GNU_HASH"
        case .dependencyAudit: "DT_DEPAUDIT"
        case .audit: "DT_AUDIT"
        case .symbolVersions: "DT_VERSYM"
        case .flags1: "DT_FLAGS_1"
        case .versionDefinitions: "DT_VERDEF"
        case .versionDefinitionCount: "DT_VERDEFNUM"
        case .versionNeeds: "DT_VERNEED"
        case .versionNeedCount: "DT_VERNEEDNUM"
        case .auxiliary: "DT_AUXILIARY"
        case .filter: "DT_FILTER"
        }
    }
}
