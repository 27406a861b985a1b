public import Bytes

/// An ELF file as program loading sees it: file header, program headers, interpreter and dynamic section.
///
/// Section headers are not used for it: they may be stripped, and neither the kernel nor the dynamic loader reads them.
public struct ELFImage: Hashable, Sendable {
    public let header: ELFHeader
    public let programHeaders: [ProgramHeader]
    /// PT_INTERP: the path of the program that the kernel starts in this one's place, without the final NUL.
    public let interpreter: ByteString?
    /// Nil without PT_DYNAMIC.
    public let dynamic: DynamicSection?

    /// Reads the image from `source` in a few small reads.
    ///
    /// - Parameter assumed: a header whose class and byte order are believed instead of the file's, as a loader does
    ///   that does not look at them.
    /// - Throws: what the source throws, and ``ELFError`` when the content is damaged.
    public init<Source: ELFSource>(
        reading source: Source, assuming assumed: ELFHeader? = nil
    ) throws(ELFReadError<Source.Failure>) {
        var parser = ELFParser(source)
        self = try parser.parse(assuming: assumed)
    }

    init(
        header: ELFHeader, programHeaders: [ProgramHeader], interpreter: ByteString?, dynamic: DynamicSection?
    ) {
        self.header = header
        self.programHeaders = programHeaders
        self.interpreter = interpreter
        self.dynamic = dynamic
    }

    /// Whether the file has a segment to map.
    public var hasLoadableSegment: Bool { programHeaders.contains { $0.type == .load } }

    /// How the file is started.
    public enum Kind: String, Hashable, Sendable {
        /// Started through the interpreter it names.
        case dynamicExecutable = "dynamic executable"
        case staticExecutable = "static executable"
        /// ET_DYN that relocates itself and needs no interpreter.
        case staticPIE = "static position-independent executable"
        case sharedObject = "shared object"
        /// Not to be loaded: a relocatable object, a core dump, ….
        case other = "object that is not loadable"
    }

    public var kind: Kind {
        switch header.type {
        case .executable: return interpreter != nil ? .dynamicExecutable : .staticExecutable
        case .dynamic:
            if interpreter != nil { return .dynamicExecutable }
            guard let dynamic else { return header.entry != 0 ? .staticPIE : .sharedObject }
            if !dynamic.needed.isEmpty { return .sharedObject }
            if dynamic.flags1.contains(.positionIndependentExecutable) { return .staticPIE }
            // Linkers before binutils 2.26 did not mark programs.
            return header.entry != 0 && dynamic.soname == nil ? .staticPIE : .sharedObject
        default: return .other
        }
    }
}
