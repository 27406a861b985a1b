import Bytes
import ELF
import Posix
import SystemPackage

/// The search of musl's loader for one library: the second half of `load_library`, and `path_open`, in ldso/dynlink.c.
struct MuslSearch {
    let catalog: FileCatalog
    let machine: TargetMachine
    /// The loader by the name in the program's PT_INTERP.
    let loaderName: ByteString
    let options: ResolveOptions
    let libraryPath: [SearchDirectory]
    /// What the path file lists, or the default.
    let systemPath: [SearchDirectory]
    /// The path file, if it decides the ``systemPath``.
    let pathFile: ResolvedPath?

    init(
        _ catalog: FileCatalog, header: ELFHeader, loader: ResolvedPath, loaderName: ByteString,
        options: ResolveOptions,
        isSecure: Bool
    ) {
        self.catalog = catalog
        self.loaderName = loaderName
        self.options = options
        machine = TargetMachine(header: header)
        let bytes = (try? catalog.bytes(of: loader, limit: Self.maximumLoaderSize)) ?? []
        let constants = MuslConstants(loader: bytes, name: loaderName)
        libraryPath = options.libraryDirectories(isSecure: isSecure).filter { !$0.path.isEmpty }
        let pathFile: ResolvedPath?
        let path: ByteString
        do {
            let file = try catalog.root.resolve(constants.pathFile(loaderName: loaderName))
            (pathFile, path) = (file, Self.content(of: file, catalog))
        } catch {
            // A missing path file means the default; one that cannot be reached is an empty path.
            (pathFile, path) = (nil, error.reason == .notFound ? constants.defaultPath : "")
        }
        self.pathFile = pathFile
        systemPath = Self.elements(path).map { SearchDirectory(path: $0 + "/", place: .systemDirectory($0)) }
    }

    /// What a path file says: nothing when it cannot be read.
    private static func content(of file: ResolvedPath, _ catalog: FileCatalog) -> ByteString {
        guard file.status.kind == .regular, let bytes = try? catalog.bytes(of: file, limit: maximumPathFileSize) else {
            return ""
        }
        return ByteString(bytes.prefix { $0 != 0 })
    }

    private static let maximumLoaderSize = 16 << 20
    private static let maximumPathFileSize = 1 << 20
    /// The buffer for a path is of `2*NAME_MAX+2` bytes; what does not fit is passed by.
    private static let maximumPathLength = 511
    private static let maximumNameLength = 255

    /// Names that are the loader itself, whatever follows the dot, and its own name.
    func isLoader(_ name: ByteString) -> Bool {
        name == loaderName || Self.ownNames.contains(where: name.hasPrefix)
    }

    private static let ownNames: [ByteString] = [
        "libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet.",
    ]

    /// Whether the file is a libc, musl's or another.
    func isLibc(_ hit: LibrarySearch.Hit) -> Bool {
        let symbols = catalog.symbols(.defined, of: hit.file, hit.image)
        return symbols.contains("__libc_start_main") && symbols.contains("stdin")
    }

    /// The object for a file that was found.
    func object(_ hit: LibrarySearch.Hit, loader: LoadedObject) -> LoadedObject {
        object(hit.file, hit.image, loader: loader, origin: hit.file.literal.directoryText)
    }

    /// The program: its `$ORIGIN` is that of /proc/self/exe, and has no value when it runs with more rights than who
    /// started it.
    func program(_ file: ResolvedPath, _ image: ELFImage, isSecure: Bool) -> LoadedObject {
        object(file, image, loader: nil, origin: isSecure ? nil : file.path.parent.bytes)
    }

    /// DT_RUNPATH and DT_RPATH are one thing, and the former wins. A token other than `$ORIGIN`, or one without value,
    /// voids the whole of it (fixup_rpath).
    private func object(
        _ file: ResolvedPath, _ image: ELFImage, loader: LoadedObject?, origin: ByteString?
    ) -> LoadedObject {
        let path = file.path
        let isRunpath = image.dynamic?.runpath != nil
        var directories: [SearchDirectory] = []
        for element in Self.elements(image.dynamic?.runpath ?? image.dynamic?.rpath ?? "") {
            guard let expanded = Self.expand(element, origin: origin) else {
                directories = []
                break
            }
            directories += Self.elements(expanded).map { directory in
                SearchDirectory(
                    path: directory + "/",
                    place: isRunpath ? .runpath(element: element, of: path) : .rpath(element: element, of: path))
            }
        }
        return LoadedObject(file, image, loader: loader, origin: origin ?? "", path: directories)
    }

    private static func elements(_ path: ByteString) -> [ByteString] {
        path.bytes.split { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "\n") }.map { ByteString($0) }
    }

    /// `text` with `$ORIGIN` and `${ORIGIN}` replaced, whatever follows them; nil with any other `$`.
    static func expand(_ text: ByteString, origin: ByteString?) -> ByteString? {
        var result: [UInt8] = []
        var rest = text.bytes[...]
        while let byte = rest.first {
            guard byte == UInt8(ascii: "$") else {
                result.append(byte)
                rest = rest.dropFirst()
                continue
            }
            guard let origin,
                let token = ["$ORIGIN", "${ORIGIN}"].first(where: { rest.starts(with: $0.utf8) })
            else { return nil }
            result += origin.bytes
            rest = rest.dropFirst(token.utf8.count)
        }
        return ByteString(result)
    }

    /// Looks for `name`, needed by `object`.
    func find(_ name: ByteString, for object: LoadedObject) throws(LibrarySearch.Miss) -> LibrarySearch.Hit {
        var miss = LibrarySearch.Miss()
        guard !name.isEmpty else { throw miss }
        if name.contains(UInt8(ascii: "/")) {
            if case .hit(let hit) = open(name, .literal, &miss) { return hit }
            throw miss
        }
        guard name.count <= Self.maximumNameLength else { throw miss }
        if let hit = try search(libraryPath, name, &miss) { return hit }
        var next: LoadedObject? = object
        while let current = next {
            if let hit = try search(current.rpath, name, &miss) { return hit }
            next = current.loader
        }
        if let hit = try search(systemPath, name, &miss) { return hit }
        throw miss
    }

    /// `path_open`: the first file that opens is taken. An error other than absence ends the whole search.
    private func search(
        _ directories: [SearchDirectory], _ name: ByteString, _ miss: inout LibrarySearch.Miss
    ) throws(LibrarySearch.Miss) -> LibrarySearch.Hit? {
        for directory in directories {
            let path = directory.path + name
            guard path.count <= Self.maximumPathLength else {
                miss.attempts.append(
                    SearchAttempt(path: path, place: directory.place, rejection: .unreachable(.invalidName)))
                continue
            }
            switch open(path, directory.place, &miss) {
            case .hit(let hit): return hit
            case .absent: continue
            case .failed: throw miss
            }
        }
        return nil
    }

    private enum Outcome {
        case hit(LibrarySearch.Hit)
        /// The search goes on.
        case absent
        /// It does not.
        case failed
    }

    private func open(_ path: ByteString, _ place: SearchPlace, _ miss: inout LibrarySearch.Miss) -> Outcome {
        let full = options.absolute(path)
        func reject(_ rejection: CandidateRejection) {
            miss.attempts.append(SearchAttempt(path: full, place: place, rejection: rejection))
        }
        let file: ResolvedPath
        do { file = try catalog.root.resolve(full) } catch {
            reject(.unreachable(error.reason))
            switch error.reason {
            case .notFound, .notDirectory, .permissionDenied, .invalidName: return .absent
            case .tooManyLinks, .failed: return .failed
            }
        }
        let examined: Result<ELFImage, LoadFault>
        do { examined = try examine(file) } catch {
            reject(.unreadable(error.errno))
            return error.errno == .permissionDenied ? .absent : .failed
        }
        switch examined {
        case .success(let image): return .hit(LibrarySearch.Hit(file: file, image: image, place: place))
        case .failure(let fault):
            reject(.unusable(fault))
            miss.cause = .unusable
            return .failed
        }
    }

    /// `map_library`, which takes the class and the byte order for granted, and the machine too; but code of another
    /// machine does not run.
    private func examine(_ file: ResolvedPath) throws(SystemError) -> Result<ELFImage, LoadFault> {
        guard file.status.kind == .regular else { return .failure(.notRegularFile) }
        let content = try catalog.content(of: file)
        let header = machine.header
        guard content.prefix.count >= (header.fileClass == .bits64 ? 64 : 52) else { return .failure(.tooShort) }
        guard content.prefix.starts(with: ELFHeader.magic) else { return .failure(.notELF) }
        var result = content.elf ?? .failure(.notELF)
        if case .success(let image) = result, image.header.fileClass == header.fileClass,
            image.header.byteOrder == header.byteOrder
        {
            // Read as it is to be read.
        } else {
            result = try catalog.image(of: file, assuming: header)
        }
        let image: ELFImage
        switch result {
        case .failure(let error): return .failure(.damaged(error))
        case .success(let found): image = found
        }
        guard image.header.type == .dynamic || image.header.type == .executable else { return .failure(.notLoadable) }
        guard image.dynamic != nil else { return .failure(.noDynamicSection) }
        guard image.header.machine == header.machine else { return .failure(.otherMachine(image.header.machine)) }
        return .success(image)
    }
}
