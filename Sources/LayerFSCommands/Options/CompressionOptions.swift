import ArgumentParser
import ImageTransport

/// How the layers of an image, or a stream, are compressed.
struct CompressionOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "gzip, zstd or none (default: gzip for layers of images, else none).")
    var compression: Compression?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "gzip: 1 to 9 (default: 6); zstd: 1 to 19 (default: 3).", valueName: "number"))
    var compressionLevel: Int?
}
