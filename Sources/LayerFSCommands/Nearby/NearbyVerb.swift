import RegistryProtocol

/// What a verb of `layerfs-registry` does that has nothing to do, where that can be found out without a network: `layerfs` does it
/// itself then, and the larger program is not started (docs/decisions/0038-layerfs-asks-a-nearby-registry-itself.md).
protocol NearbyVerb {
    associatedtype Finding

    /// - Throws: ``PlainArguments/Unfamiliar`` for whatever is not asked of a registry on this machine in the plain way.
    init(plain arguments: [String]) throws

    /// What it has to say; nil where there is something to do, or it is not known.
    ///
    /// - Throws: what ends the verb, whoever does it.
    func find() throws -> Finding?

    /// - Throws: ``Console/OutputError``.
    func say(_ finding: Finding) throws
}

extension NearbyVerb {
    /// Whether the verb had nothing to do, and said so.
    ///
    /// - Throws: as ``find()`` and ``say(_:)``. What is wrong with `arguments` is said by the one who parses all of them.
    static func isDone(_ arguments: [String]) throws -> Bool {
        guard let verb = try? Self(plain: arguments), let finding = try verb.find() else { return false }
        try verb.say(finding)
        return true
    }
}

/// The registry on this machine that an operand names, if it is spoken to in the clear.
struct NearbyPlace {
    static let plainOptions = ["--tls-verify"]

    let place: RegistryPlace
    let registry: NearbyRegistry

    /// - Throws: ``PlainArguments/Unfamiliar`` where it is another, `RegistryError`.
    init(_ text: String, _ plain: PlainArguments) throws {
        place = try RegistryPlace(parsing: text)
        guard try plain.value("--tls-verify", as: { Bool($0) }) == false,
            let registry = NearbyRegistry(host: place.host)
        else { throw PlainArguments.Unfamiliar() }
        self.registry = registry
    }
}
