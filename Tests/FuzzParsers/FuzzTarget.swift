/// A parser that takes any bytes: it returns, or throws, in bounded time and memory.
///
/// To have another parser fuzzed, add one to ``FuzzTarget/all``; the tests and CI run what is there.
struct FuzzTarget: Sendable {
    let name: String
    /// Small inputs that reach its branches, beside the files given on the command line.
    let seeds: [[UInt8]]
    /// Parses the bytes, and looks at all of the result. Throws when they are refused.
    let parse: @Sendable ([UInt8]) throws -> Void

    static let all: [FuzzTarget] = [
        .elf, .loaderCache, .dlopenNote, .script, .tar, .pax, .layer, .stream, .gzip, .document, .name, .skeleton,
    ]
}
