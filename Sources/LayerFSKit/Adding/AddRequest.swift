public import Bytes
public import Trees

/// What a person wants added: everything that `layerfs add` was told.
public struct AddRequest: Sendable {
    /// Names on PATH, or paths.
    public var programs: [ByteString] = []
    /// The layer that all goes into; nil: each program, package and preset becomes a layer of its own name.
    public var name: Name?

    public init() {}
}
