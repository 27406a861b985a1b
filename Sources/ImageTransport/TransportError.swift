public import Bytes
public import Digests
public import OCI

/// Why an image could not be written, or is not whole where it lies.
public enum TransportError: Error, Hashable, CustomStringConvertible {
    /// A file's name begins with `.wh.`, which in a layer means that another file is removed.
    case reservedName(TreePath)
    /// The store gave another number of bytes than the entry says.
    case contentSize(TreePath, expected: UInt64, actual: UInt64)
    /// An image needs at least one layer (image-spec, manifest.md).
    case noLayers
    /// Nothing can be written under `target`: `reason` says why.
    case invalidTarget(ByteString, reason: String)
    /// Somebody else is writing to the image layout.
    case layoutBusy(ByteString)
    /// A file of a layout or archive is not the document it should be.
    case malformedDocument(name: String, OCIError)
    /// A blob or file that a document names is not there, or is no regular file.
    case missing(name: String)
    case digestMismatch(name: String, expected: Digest, actual: Digest)
    case sizeMismatch(name: String, expected: UInt64, actual: UInt64)
    /// A layer's content is not what the configuration says.
    case diffIDMismatch(layer: Int, expected: DiffID, actual: DiffID)
    /// The numbers of layers in manifest and configuration differ.
    case layerCount(manifest: Int, configuration: Int)
    case unsupportedMediaType(MediaType)
    /// The compressed stream is damaged at byte `offset` of it, or larger than allowed.
    case gzip(reason: String, offset: UInt64)
    /// The same of a stream of another format.
    case damagedStream(format: String, reason: String, offset: UInt64)
    /// A compressed stream of `consumed` bytes stands for more than it may.
    case expandsTooMuch(produced: UInt64, consumed: UInt64, ratio: UInt64)
    /// What is kept of a layer's tar does not fit this content.
    case invalidSkeleton(Digest)
    /// There is no image of this name.
    case noSuchImage(String)
    /// There are several images, of these names, and nothing says which.
    case severalImages([String])
    /// Nothing there is an image layout or archive.
    case noImages(ByteString, reason: String)
    /// A program that an export needs cannot be used.
    case noProgram(ByteString, reason: String)
    /// A program that an export needs ended with an error; the last lines of what it said.
    case programFailed(ByteString, status: Int32, output: String)
    /// A compression has no such level.
    case compressionLevel(Compression, Int)
    /// libzstd was built without threads.
    case noThreads
    /// An image is not there for this platform.
    case noSuchPlatform(String, available: [String])
    /// An image has more layers than layerfs takes.
    case tooManyLayers(Int)
    /// A document says that it is of another type than what names it.
    case mediaTypeMismatch(name: String, expected: MediaType, actual: MediaType)
    /// Text does not name the place of an image.
    case malformedLocation(ByteString, reason: String)
    /// A member of a layer's tar makes no sense there.
    case invalidLayer(member: ByteString, reason: String)
    /// A compression library could not get memory.
    case outOfMemory
    /// What libdeflate made does not give its input back.
    case compressorFault

    public var description: String {
        switch self {
        case .reservedName(let path):
            "\(path): a name that begins with '.wh.' cannot be stored in an image layer; rename the file or leave it out"
        case .contentSize(let path, let expected, let actual):
            "\(path): the store gave \(actual) bytes of content where \(expected) are recorded; run a check of the store"
        case .noLayers: "an image needs at least one layer"
        case .invalidTarget(let path, let reason): "cannot write to \(path): \(reason)"
        case .layoutBusy(let path): "\(path): another process is writing to this image layout; try again later"
        case .malformedDocument(let name, let error): "\(name): \(error)"
        case .missing(let name): "\(name) is missing, or is not a regular file"
        case .digestMismatch(let name, let expected, let actual):
            "\(name) is damaged: its digest is \(actual), not \(expected)"
        case .sizeMismatch(let name, let expected, let actual):
            "\(name) is damaged: it has \(actual) bytes, not \(expected)"
        case .diffIDMismatch(let layer, let expected, let actual):
            "layer \(layer + 1) of the image is damaged: the digest of its content is \(actual), not \(expected)"
        case .layerCount(let manifest, let configuration):
            "the image is inconsistent: \(manifest) layers in its manifest, \(configuration) in its configuration"
        case .unsupportedMediaType(let type): "the media type '\(type)' is not supported"
        case .gzip(let reason, let offset): "the gzip stream is not valid at byte \(offset): \(reason)"
        case .damagedStream(let format, let reason, let offset):
            "the \(format) stream is not valid at byte \(offset): \(reason)"
        case .expandsTooMuch(let produced, let consumed, let ratio):
            "refused a decompression bomb: \(consumed) compressed bytes became more than \(produced), over \(ratio) for each. "
                + "If it is honest, allow more with --max-ratio"
        case .noSuchImage(let name): "there is no image '\(ByteString(name))'"
        case .severalImages(let names):
            "there are several images: \(names.map { ByteString($0).description }.joined(separator: ", ")). Say which, as oci:DIR:NAME"
        case .invalidSkeleton(let content):
            "what is kept of the layer's tar does not fit the content \(content); run `layerfs fsck`"
        case .noSuchPlatform(let platform, let available):
            "the image is not there for \(platform), only for \(Self.list(available)); choose with --platform"
        case .tooManyLayers(let count):
            "refused an image of \(count) layers; at most \(SourceImage.layerLimit) are taken"
        case .mediaTypeMismatch(let name, let expected, let actual):
            "\(name) is of the type '\(actual)', but is named as '\(expected)'"
        case .noImages(let path, let reason): "\(path) is no image layout or archive: \(reason)"
        case .noProgram(let name, let reason): "cannot use \(name): \(reason)"
        case .programFailed(let name, let status, let output):
            "\(name) ended with status \(status)\(output.isEmpty ? "" : ": \(output)")"
        case .compressionLevel(let compression, let level):
            "\(compression.rawValue) has no level \(level)"
                + (compression.levels.map { "; it has \($0.lowerBound) to \($0.upperBound)" } ?? "")
        case .noThreads: "this libzstd was built without threads, and would give other bytes; choose gzip"
        case .malformedLocation(let text, let reason): "'\(text)' is no place of an image: \(reason)"
        case .invalidLayer(let member, let reason): "invalid layer: the member '\(member)' \(reason)"
        case .compressorFault:
            "libdeflate compressed a piece to something that does not decompress to it. Its package is damaged, or the machine's memory is"
        case .outOfMemory: "not enough memory to compress or decompress"
        }
    }

    /// Names come from outside: escaped, and not all of very many.
    private static func list(_ names: [String]) -> String {
        names.prefix(10).map { ByteString($0).description }.joined(separator: ", ") + (names.count > 10 ? " …" : "")
    }
}
