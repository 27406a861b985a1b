public import Bytes
public import ELF
public import Posix

/// Everything that programs need of a root in order to start, and why.
public struct Closure: Hashable, Sendable {
    /// The programs asked for, in the order of the requests.
    public var programs: [RequestedProgram] = []
    /// Every path that must exist for the programs to start, sorted bytewise. Their parents are directories, and not
    /// listed.
    public var files: [ClosureFile] = []
    /// Why each file is there.
    public var edges: [ClosureEdge] = []
    /// What is needed and was not found. When this is not empty the closure is not complete.
    public var unresolved: [UnresolvedDependency] = []
    /// What a person should know although nothing is wrong.
    public var notes: [ClosureNote] = []

    public init() {}

    public var isComplete: Bool { unresolved.isEmpty }
}

/// A program that a closure was made for.
public struct RequestedProgram: Hashable, Sendable {
    /// A name or path, as it was asked for.
    public let request: ByteString
    /// The path by which it was found; its links belong to the closure.
    public let literalPath: ByteString
    /// The file itself.
    public let path: TreePath
    public let kind: Kind

    public init(request: ByteString, literalPath: ByteString, path: TreePath, kind: Kind) {
        self.request = request
        self.literalPath = literalPath
        self.path = path
        self.kind = kind
    }

    public enum Kind: String, Hashable, Sendable, Codable {
        case dynamicExecutable, staticExecutable, staticPIE, sharedObject
        case script
    }
}

/// One path of a closure.
public struct ClosureFile: Hashable, Sendable {
    /// The path in the root, its parent free of links.
    public let path: TreePath
    public let kind: Kind
    /// Where this machine finds it.
    public let sourcePath: ByteString
    /// The inode it was when it was examined.
    public let identity: FileIdentity

    public init(path: TreePath, kind: Kind, sourcePath: ByteString, identity: FileIdentity) {
        self.path = path
        self.kind = kind
        self.sourcePath = sourcePath
        self.identity = identity
    }

    public enum Kind: Hashable, Sendable {
        case file(size: UInt64, permissions: UInt16)
        /// The target as stored.
        case symlink(target: ByteString)
        /// A directory that must exist although nothing in it is needed: some path passes through it and `..`.
        case directory
    }
}

/// Why one file brought in another.
public struct ClosureEdge: Hashable, Sendable {
    /// The file that needs the other; nil for a program that was asked for.
    public let from: TreePath?
    public let to: TreePath
    public let kind: DependencyKind
    /// What was asked for: a library's name, an interpreter's path, a command.
    public let name: ByteString
    /// The path that is opened, which may lead through links.
    public let openedAs: ByteString
    /// The links on the way, each of which is a file of the closure.
    public let via: [TreePath]
    public let place: SearchPlace
    /// The subdirectory for processors with more capabilities, as `glibc-hwcaps/x86-64-v3`; nil for the plain file.
    public let variant: ByteString?
    /// What the note says for which the file is there, of an edge of the kind ``DependencyKind/dlopen``.
    public let note: DlopenReason?
    /// What a cache has to list for the loader to find the file: nil unless it was found through the cache, and the
    /// system directories would not have led to it.
    public let cacheEntry: LdCacheLibrary?

    public init(
        from: TreePath?, to: TreePath, kind: DependencyKind, name: ByteString, openedAs: ByteString, via: [TreePath],
        place: SearchPlace, variant: ByteString? = nil, note: DlopenReason? = nil, cacheEntry: LdCacheLibrary? = nil
    ) {
        self.from = from
        self.to = to
        self.kind = kind
        self.name = name
        self.openedAs = openedAs
        self.via = via
        self.place = place
        self.variant = variant
        self.note = note
        self.cacheEntry = cacheEntry
    }
}

/// Why an object may load a library while it runs, in the words of its `.note.dlopen`.
public struct DlopenReason: Hashable, Sendable {
    public let priority: DlopenNote.Priority
    public let feature: ByteString?
    public let purpose: ByteString?

    public init(priority: DlopenNote.Priority, feature: ByteString?, purpose: ByteString?) {
        self.priority = priority
        self.feature = feature
        self.purpose = purpose
    }
}

/// A rule by which something was found or looked for.
public enum SearchPlace: Hashable, Sendable {
    /// The path is given in full.
    case literal
    /// A directory of PATH.
    case path(ByteString)
    /// An element of the DT_RPATH or DT_RUNPATH of an object, as it is written there.
    case rpath(element: ByteString, of: TreePath)
    case runpath(element: ByteString, of: TreePath)
    /// A directory of the library path given (LD_LIBRARY_PATH).
    case libraryPath(ByteString)
    /// /etc/ld.so.cache.
    case cache
    /// A directory compiled into the loader.
    case systemDirectory(ByteString)
    /// An object loaded before has this name or soname.
    case alreadyLoaded
}

/// Something a person should know of a closure.
public enum ClosureNote: Hashable, Sendable {
    /// The root has /etc/ld.so.preload, whose libraries are not taken (``ResolveOptions/includesPreloads``).
    case preloadFile(libraries: [ByteString])
    /// A text without `#!` line is run by /bin/sh.
    case textRunByShell(TreePath)
    /// A shared object was asked for; it names no loader.
    case sharedObject(TreePath)
    /// A cache that ld.so would ignore.
    case cacheIgnored(LoaderCacheError)
    /// A search path or name that depends on the directory the program is started in.
    case relativePath(ByteString, of: TreePath)
    /// An auxiliary, auditing or preloaded library that is absent; the program starts without.
    case optionalMissing(name: ByteString, kind: DependencyKind, neededBy: TreePath)
    /// A library that is loaded on demand, under one of these names, and is not there or not complete.
    case onDemandMissing(names: [ByteString], kind: DependencyKind, of: TreePath)
    /// A module that the root has, which a rule names and does not take.
    case optionalModule(name: ByteString, rule: RuleID, of: TreePath)
    /// Data that a program may want, as a rule tells from what the object imports.
    case presetSuggested(String, rule: RuleID, of: TreePath)
    /// A `.note.dlopen` note that cannot be read.
    case unreadableNote(DlopenNoteError, of: TreePath)
    /// Restricted rules apply: the program is setuid or setgid, or has file capabilities.
    case secureMode(TreePath)
    /// The program cannot be executed: no x bit.
    case notExecutable(TreePath)
    /// The `#!` line is cut off by the kernel after 255 bytes.
    case shebangTruncated(TreePath)
}

extension ClosureNote {
    /// Whether the programs may behave differently from what their user expects.
    public var isWarning: Bool {
        switch self {
        case .preloadFile, .cacheIgnored, .relativePath, .notExecutable, .shebangTruncated: true
        case .textRunByShell, .sharedObject, .optionalMissing, .onDemandMissing, .optionalModule, .presetSuggested,
            .unreadableNote, .secureMode:
            false
        }
    }
}
