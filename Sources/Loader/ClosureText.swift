import Bytes
import ELF

// How the facts of a closure are told to a person: fragments without capital and full stop, to be put into sentences.

extension SearchPlace: CustomStringConvertible {
    public var description: String {
        switch self {
        case .literal: "by its path"
        case .path(let directory): "in PATH directory \(directory)"
        case .rpath(let element, let object):
            "in RPATH \(element.isEmpty ? "(empty: start directory)" : element.description) of \(object)"
        case .runpath(let element, let object):
            "in RUNPATH \(element.isEmpty ? "(empty: start directory)" : element.description) of \(object)"
        case .libraryPath(let directory): "in library path directory \(directory)"
        case .cache: "in /etc/ld.so.cache"
        case .systemDirectory(let directory): "in system directory \(directory)"
        case .alreadyLoaded: "loaded before"
        }
    }
}

extension DependencyKind: CustomStringConvertible {
    public var description: String {
        switch self {
        case .program: "program"
        case .interpreter: "interpreter"
        case .needed: "needed"
        case .filter: "filter"
        case .auxiliary: "auxiliary"
        case .audit: "audit"
        case .preload: "in /etc/ld.so.preload for"
        case .pathFile: "list of directories"
        case .dlopen: "loaded on demand"
        case .rule(let id): "by rule \(id)"
        case .shebang: "#! interpreter"
        case .env: "started by env"
        case .shell: "shell for a text without #!"
        }
    }
}

extension DlopenReason: CustomStringConvertible {
    public var description: String {
        let words = [priority.rawValue] + [feature, purpose].compactMap { $0?.description }
        return words.joined(separator: ": ")
    }
}

extension CandidateRejection: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreachable(.notFound): "no such file"
        case .unreachable(.notDirectory): "not a directory on the way"
        case .unreachable(.permissionDenied): "permission denied"
        case .unreachable(.tooManyLinks): "too many symbolic links"
        case .unreachable(.invalidName): "not a usable file name"
        case .unreachable(.failed(let errno)), .unreadable(let errno): "\(errno)"
        case .wrongClass(1): "a 32-bit file, skipped"
        case .wrongClass(2): "a 64-bit file, skipped"
        case .wrongClass(let value): "of unknown ELF class \(value), skipped"
        case .wrongMachine(let machine): "for \(machine), skipped"
        case .notListed: "does not list it"
        case .defaultLibraryForbidden: "in a system directory, which DF_1_NODEFLIB forbids"
        case .unusable(let fault): "\(fault); the loader gives up here"
        case .notExecutable: "not an executable file"
        }
    }
}

extension SearchAttempt: CustomStringConvertible {
    public var description: String {
        // That the cache was looked for in the cache says nothing.
        let detail = place == .cache && path == LoaderEnvironment.cachePath ? "" : " (\(place))"
        return "tried \(path)\(detail): \(rejection)"
    }
}

extension LoadFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notRegularFile: "not a regular file"
        case .tooShort: "too short for an ELF file"
        case .notELF: "not an ELF file"
        case .damaged(let error): "\(error)"
        case .wrongByteOrder: "of the other byte order"
        case .invalidABI(let osABI, let version): "for another system (OS ABI \(osABI), version \(version))"
        case .nonzeroPadding: "with nonzero padding in its ELF header"
        case .invalidVersion: "of an unknown ELF version"
        case .notLoadable: "neither a program nor a shared object"
        case .fixedAddressExecutable: "a program, not a library"
        case .otherMachine(let machine): "for \(machine)"
        case .noLoadableSegment: "without a loadable segment"
        case .noDynamicSection: "without a dynamic section"
        }
    }
}

extension UnresolvedDependency.Cause: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notFound: "not found"
        case .unusable: "not usable"
        case .onlyVariants(let paths):
            "only variants for newer processors: \(paths.map(\.description).joined(separator: ", "))"
        case .missingVersions(let names):
            "found, but without the symbol versions \(names.map(\.description).joined(separator: ", "))"
        case .tokenWithoutValue: "a token ($ORIGIN, $LIB, $PLATFORM) in the name has no value or is not allowed"
        case .tooManyScripts: "more than \(ScriptChain.maximumLength) scripts interpret each other; Linux refuses"
        case .shebang(let error): "\(error)"
        case .noCommand: "env is given no command"
        }
    }
}

extension UnresolvedDependency: CustomStringConvertible {
    /// Several lines: what is missing, who needs it, and every place tried.
    public var description: String {
        var lines = ["\(name): \(cause); \(kind) of \(neededBy)"]
        if program != neededBy { lines[0] += ", for \(program)" }
        if name.bytes.last == UInt8(ascii: "\r") {
            lines.append("  the line ends with a carriage return: convert the script's line ends")
        }
        lines += attempts.map { "  \($0)" }
        return lines.joined(separator: "\n")
    }
}

extension ClosureNote: CustomStringConvertible {
    public var description: String {
        switch self {
        case .preloadFile(let libraries):
            "the root's /etc/ld.so.preload is not taken: \(libraries.map(\.description).joined(separator: " "))"
        case .textRunByShell(let path): "\(path) has no #! line; shells run it by /bin/sh"
        case .sharedObject(let path): "\(path) is a shared object: it names no loader, and cannot be started"
        case .cacheIgnored(let error): "/etc/ld.so.cache is not used: \(error)"
        case .relativePath(let path, let object):
            "\(path) in \(object) depends on the directory the program is started in"
        case .optionalMissing(let name, let kind, let neededBy):
            "\(name), \(kind) of \(neededBy), is absent; the program starts without it"
        case .onDemandMissing(let names, let kind, let object):
            "\(names.map(\.description).joined(separator: " or ")), \(kind) of \(object), is absent; it does without"
        case .optionalModule(let name, let rule, let object):
            "\(name) is not taken: optional for \(object) (rule \(rule))"
        case .presetSuggested(let preset, let rule, let object):
            "the preset \(preset) may be wanted for \(object) (rule \(rule))"
        case .unreadableNote(let error, let object): "\(object): \(error)"
        case .secureMode(let path): "\(path) is setuid, setgid or has capabilities: $ORIGIN is restricted"
        case .notExecutable(let path): "\(path) is not executable (no x bit)"
        case .shebangTruncated(let path): "the #! line of \(path) is longer than Linux reads; its end is ignored"
        }
    }
}
