import Bytes
import ELF
import Posix

/// Applies rules to the objects of one program, each rule at most once unless it is about every object.
struct RuleApplication {
    let catalog: FileCatalog
    let rules: [DependencyRule]
    /// Of the program's loader; nil when it does not tell, and then taken as a recent one.
    let glibc: GlibcVersion?
    private let nameServiceSwitch: NameServiceSwitch

    /// What a rule wants loaded or told.
    enum Wish {
        case library(OnDemandLoading.Request)
        case file(path: ByteString, DependencyRule)
        case note(ClosureNote)
    }

    init(catalog: FileCatalog, rules: [DependencyRule], library: DependencyRule.Library, glibc: GlibcVersion?) {
        self.catalog = catalog
        self.rules = rules.filter { $0.library == nil || $0.library == library }
        self.glibc = glibc
        var text: [UInt8] = []
        if self.rules.contains(where: \.isNameService), let file = try? catalog.root.resolve("/etc/nsswitch.conf"),
            file.status.kind == .regular
        {
            text = (try? catalog.bytes(of: file, limit: 1 << 20)) ?? []
        }
        nameServiceSwitch = NameServiceSwitch(text)
    }

    /// What the rules wish for `object`.
    ///
    /// - Parameter fired: the rules that fired for another object of the program.
    func wishes(of object: LoadedObject, fired: inout Set<RuleID>) -> [Wish] {
        guard !rules.isEmpty else { return [] }
        var wishes: [Wish] = []
        var imports: Set<ByteString>?
        for rule in rules where !fired.contains(rule.id) {
            if case .imports(let functions) = rule.trigger {
                let imported = imports ?? catalog.symbols(.imported, of: object.file, object.image)
                imports = imported
                guard !functions.isDisjoint(with: imported) else { continue }
                fired.insert(rule.id)
            }
            wishes += apply(rule, to: object)
        }
        return wishes
    }

    private func apply(_ rule: DependencyRule, to object: LoadedObject) -> [Wish] {
        let path = object.file.path
        switch rule.action {
        case .library(let name, let openers):
            return [
                .library(
                    .init(object: path, names: [name], kind: .rule(rule.id), necessity: .optional, openers: openers))
            ]
        case .nameService(let database, let byDefault, let builtIn, let version):
            let services = nameServiceSwitch.services(database) ?? byDefault
            let isBuiltIn = (glibc ?? version) >= version
            return services.filter { !isBuiltIn || !builtIn.contains($0) }.map { service in
                .library(
                    .init(
                        object: path, names: ["libnss_" + service + ".so.2"], kind: .rule(rule.id),
                        necessity: builtIn.contains(service) ? .optional : .mention(rule.id), openers: ["libc.so.6"]))
            }
        case .companion(let folder, let prefix, let suffix):
            var paths: [ByteString] = []
            for place in [object.file.literal, path.bytes] {
                let name = place.split(on: UInt8(ascii: "/")).last ?? place
                let companion = (folder ?? place.directoryText) + "/" + prefix + name + suffix
                if !paths.contains(companion) { paths.append(companion) }
            }
            return paths.map { .file(path: $0, rule) }
        case .suggest(let preset):
            return [.note(.presetSuggested(preset, rule: rule.id, of: path))]
        }
    }
}

extension DependencyRule {
    fileprivate var isNameService: Bool { if case .nameService = action { true } else { false } }
}
