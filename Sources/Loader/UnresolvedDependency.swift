public import Bytes
public import ELF
public import SystemPackage

/// Something a program needs that the root does not have, or not in a form that the loader takes.
public struct UnresolvedDependency: Hashable, Sendable {
    public let name: ByteString
    public let kind: DependencyKind
    /// The file that needs it.
    public let neededBy: TreePath
    /// The program whose start fails.
    public let program: TreePath
    /// Every path tried, in order, with the reason it was not taken.
    public let attempts: [SearchAttempt]
    public let cause: Cause

    public init(
        name: ByteString, kind: DependencyKind, neededBy: TreePath, program: TreePath, attempts: [SearchAttempt],
        cause: Cause
    ) {
        self.name = name
        self.kind = kind
        self.neededBy = neededBy
        self.program = program
        self.attempts = attempts
        self.cause = cause
    }

    public enum Cause: Hashable, Sendable {
        case notFound
        /// The last attempt found a file that makes the loader give up.
        case unusable
        /// Only variants for newer processors exist, so that an older one could not run it.
        case onlyVariants([ByteString])
        /// The library found does not define these symbol versions: it is older than what was linked against.
        case missingVersions([ByteString])
        /// The name holds a token (`$ORIGIN`, `$LIB`, `$PLATFORM`) without a value, or not allowed to a setuid program.
        case tokenWithoutValue
        /// More scripts than Linux follows interpret each other.
        case tooManyScripts
        /// The `#!` line is not usable.
        case shebang(ShebangError)
        /// env(1) is given no command.
        case noCommand
    }
}

/// A path that was tried.
public struct SearchAttempt: Hashable, Sendable {
    public let path: ByteString
    public let place: SearchPlace
    public let rejection: CandidateRejection

    public init(path: ByteString, place: SearchPlace, rejection: CandidateRejection) {
        self.path = path
        self.place = place
        self.rejection = rejection
    }
}

/// Why a file was not taken.
public enum CandidateRejection: Hashable, Sendable {
    /// There is none, or it cannot be reached.
    case unreachable(LookupFailure.Reason)
    case unreadable(Errno)
    /// For another machine; the search goes on.
    case wrongClass(UInt8)
    case wrongMachine(ELFMachine)
    /// Of the cache itself: it does not have the name, for this machine, or cannot be used.
    case notListed
    /// Found where DF_1_NODEFLIB forbids.
    case defaultLibraryForbidden
    /// Found, and so unsuitable that the loader gives up.
    case unusable(LoadFault)
    /// For PATH: a directory, or not executable.
    case notExecutable
}

/// What makes ld.so refuse a file that it found: open_verify and _dl_map_object_from_fd in glibc's elf/dl-load.c,
/// map_library in musl's ldso/dynlink.c.
public enum LoadFault: Error, Hashable, Sendable {
    case notRegularFile
    case tooShort
    case notELF
    case damaged(ELFError)
    case wrongByteOrder
    case invalidABI(osABI: UInt8, version: UInt8)
    case nonzeroPadding
    case invalidVersion
    case notLoadable
    case fixedAddressExecutable
    /// For another machine: passed by by glibc's loader, taken by musl's, which then fails.
    case otherMachine(ELFMachine)
    case noLoadableSegment
    case noDynamicSection
}
