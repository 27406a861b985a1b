import Bytes
import ELF

/// An object that the emulated loader has mapped: glibc's `struct link_map`, musl's `struct dso`.
final class LoadedObject {
    let file: ResolvedPath
    let image: ELFImage
    /// The object that made this one load first (l_loader), whose DT_RPATH is searched for it too.
    let loader: LoadedObject?
    let tokens: StringTokens
    /// Directories of DT_RPATH, empty when DT_RUNPATH exists, which makes ld.so forget it; and of DT_RUNPATH.
    let rpath: [SearchDirectory]
    let runpath: [SearchDirectory]
    let hasRunpath: Bool
    /// Whether it is in the list of objects to go through (l_reserved).
    var isListed = false

    init(_ file: ResolvedPath, _ image: ELFImage, loader: LoadedObject?, tokens: StringTokens) {
        self.file = file
        self.image = image
        self.loader = loader
        self.tokens = tokens
        let path = file.path
        hasRunpath = image.dynamic?.runpath != nil
        rpath = hasRunpath ? [] : SearchDirectory.list(image.dynamic?.rpath, tokens) { .rpath(element: $0, of: path) }
        runpath = SearchDirectory.list(image.dynamic?.runpath, tokens) { .runpath(element: $0, of: path) }
    }

    /// An object of musl's loader, which knows one search path of an object and one token.
    init(_ file: ResolvedPath, _ image: ELFImage, loader: LoadedObject?, origin: ByteString, path: [SearchDirectory]) {
        self.file = file
        self.image = image
        self.loader = loader
        tokens = StringTokens(origin: origin)
        hasRunpath = false
        rpath = path
        runpath = []
    }

    var usesNoDefaultLibraries: Bool { image.dynamic?.flags1.contains(.noDefaultLibraries) ?? false }
}

/// A directory that libraries are looked for in.
struct SearchDirectory: Hashable {
    /// With a final slash, or empty for the current directory.
    let path: ByteString
    let place: SearchPlace

    var isRelative: Bool { path.bytes.first != UInt8(ascii: "/") }

    /// The directories of a colon-separated list, by the rules of fillin_rpath in glibc's elf/dl-load.c: an empty
    /// element is the current directory, an element with a token that has no value is dropped, and so are repetitions.
    static func list(
        _ text: ByteString?, _ tokens: StringTokens, _ place: (ByteString) -> SearchPlace
    ) -> [SearchDirectory] {
        guard let text, !text.isEmpty else { return [] }
        var result: [SearchDirectory] = []
        for element in text.split(on: UInt8(ascii: ":")) {
            guard var path = element.isEmpty ? element : tokens.expand(element) else { continue }
            if !element.isEmpty {
                guard !path.isEmpty else { continue }
                while path.count > 1, path.bytes.last == UInt8(ascii: "/") { path.bytes.removeLast() }
                if path != "/" { path.bytes.append(UInt8(ascii: "/")) }
            }
            if !result.contains(where: { $0.path == path }) {
                result.append(SearchDirectory(path: path, place: place(element)))
            }
        }
        return result
    }
}
