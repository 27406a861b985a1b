public import Bytes

/// A library that an object says it may load while it runs: one element of a `.note.dlopen` note.
///
/// https://systemd.io/ELF_DLOPEN_METADATA, SD_ELF_NOTE_DLOPEN(3): a note of the owner `FDO` and type 0x407c0c0a, whose
/// descriptor is JSON.
public struct DlopenNote: Hashable, Sendable {
    /// The names tried, best first; the first that loads will do. At least one.
    public var sonames: [ByteString]
    /// A short name of what the library is for.
    public var feature: ByteString?
    /// The same for a person.
    public var purpose: ByteString?
    public var priority: Priority

    public init(
        sonames: [ByteString], feature: ByteString? = nil, purpose: ByteString? = nil,
        priority: Priority = .recommended
    ) {
        self.sonames = sonames
        self.feature = feature
        self.purpose = purpose
        self.priority = priority
    }

    /// How much the object depends on the library; the weaker, the smaller.
    public enum Priority: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
        /// The object still runs, with less.
        case suggested
        /// Most of what the object is for needs it. What a note without priority means.
        case recommended
        /// The object does not work without.
        case required

        public static func < (left: Priority, right: Priority) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .suggested: 0
            case .recommended: 1
            case .required: 2
            }
        }
    }

    static let owner = Array("FDO".utf8)
    static let type: UInt32 = 0x407c_0c0a
    static let sectionName: ByteString = ".note.dlopen"

    /// Reads a descriptor: an array of objects, or, as a draft of the specification had it, one object; and in each a
    /// `soname` that is an array or one string. Unknown keys are ignored.
    ///
    /// - Throws: ``DlopenNoteError``.
    public static func parse(_ descriptor: ArraySlice<UInt8>) throws(DlopenNoteError) -> [DlopenNote] {
        let text = descriptor.prefix { $0 != 0 }
        guard let value = NoteJSON.parse(text) else { throw .notJSON }
        switch value {
        case .object(let fields): return [try DlopenNote(fields)]
        case .array(let elements):
            var notes: [DlopenNote] = []
            for element in elements {
                guard case .object(let fields) = element else { throw .notAnObject }
                notes.append(try DlopenNote(fields))
            }
            return notes
        default: throw .notAnObject
        }
    }

    private init(_ fields: [ByteString: NoteJSON]) throws(DlopenNoteError) {
        let names: [NoteJSON]
        switch fields["soname"] {
        case .array(let elements)?: names = elements
        case .string(let name)?: names = [.string(name)]
        default: throw .noSoname
        }
        sonames = names.compactMap(\.text).filter { !$0.isEmpty && !$0.contains(0) }
        guard !sonames.isEmpty, sonames.count == names.count else { throw .noSoname }
        feature = fields["feature"]?.text
        purpose = fields["description"]?.text
        // A word that a later version of the specification may add is no reason to do without the library.
        priority = fields["priority"]?.text?.utf8Text.flatMap(Priority.init(rawValue:)) ?? .recommended
    }
}

/// What is wrong with a note about libraries loaded on demand.
public enum DlopenNoteError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The descriptor is not JSON, or nested deeper than any real one.
    case notJSON
    /// Neither an object nor an array of objects.
    case notAnObject
    /// `soname` is missing, empty, or not of strings.
    case noSoname
    /// The note's lengths lead out of its segment or section.
    case truncated
    /// More names than any real object has; the rest is not read.
    case tooMany

    public var description: String {
        switch self {
        case .notJSON: "a .note.dlopen note is not JSON"
        case .notAnObject: "a .note.dlopen note is neither a JSON object nor an array of them"
        case .noSoname: "a .note.dlopen note has an entry without a soname"
        case .truncated: "a .note.dlopen note is cut off"
        case .tooMany: "the .note.dlopen notes name more libraries than any real object's"
        }
    }
}
