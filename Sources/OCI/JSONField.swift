/// A value and its place in a document: reads fields and says where one is wrong.
struct JSONField {
    let value: JSONValue
    let path: String

    init(_ value: JSONValue, path: String = "") {
        self.value = value
        self.path = path
    }

    /// The value of `key`; nil when it is absent or null (Go writes null for empty lists).
    func optional(_ key: String) throws(OCIError) -> JSONField? {
        guard case .object(let members) = value else { throw wrongType("an object") }
        guard let member = members.first(where: { $0.key.utf8.elementsEqual(key.utf8) }), member.value != .null else {
            return nil
        }
        return JSONField(member.value, path: path.isEmpty ? key : "\(path).\(key)")
    }

    func required(_ key: String) throws(OCIError) -> JSONField {
        guard let field = try optional(key) else { throw .missingField(path.isEmpty ? key : "\(path).\(key)") }
        return field
    }

    func string() throws(OCIError) -> String {
        guard case .string(let text) = value else { throw wrongType("a string") }
        return text
    }

    func bool() throws(OCIError) -> Bool {
        guard case .bool(let flag) = value else { throw wrongType("true or false") }
        return flag
    }

    func integer() throws(OCIError) -> Int64 {
        guard case .integer(let number) = value else { throw wrongType("an integer of 64 bits") }
        return number
    }

    func elements() throws(OCIError) -> [JSONField] {
        guard case .array(let values) = value else { throw wrongType("an array") }
        return values.enumerated().map { JSONField($1, path: "\(path)[\($0)]") }
    }

    func members() throws(OCIError) -> [(key: String, field: JSONField)] {
        guard case .object(let members) = value else { throw wrongType("an object") }
        return members.map { ($0.key, JSONField($0.value, path: path.isEmpty ? $0.key : "\(path).\($0.key)")) }
    }

    func strings() throws(OCIError) -> [String] {
        var texts: [String] = []
        for element in try elements() { texts.append(try element.string()) }
        return texts
    }

    /// An object whose values are strings: annotations, labels.
    func stringMap() throws(OCIError) -> [String: String] {
        var map: [String: String] = [:]
        for (key, field) in try members() { map[key] = try field.string() }
        return map
    }

    /// An object used as a set, `{"8080/tcp":{}}`; sorted.
    func stringSet() throws(OCIError) -> [String] {
        var keys: [String] = []
        for (key, field) in try members() {
            guard case .object = field.value else { throw field.wrongType("an object") }
            keys.append(key)
        }
        return keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    func wrongType(_ expected: String) -> OCIError { .wrongType(field: path, expected: expected) }

    func invalid(_ expected: String) -> OCIError {
        let shown =
            switch value {
            case .string(let text): text
            default: String(decoding: value.canonicalBytes.prefix(400), as: UTF8.self)
            }
        return .invalidValue(field: path, value: shown, expected: expected)
    }

    /// The members with other keys than `keys`: what a document may have beside what layerfs knows.
    func others(than keys: String...) throws(OCIError) -> [JSONValue.Member] {
        guard case .object(let members) = value else { throw wrongType("an object") }
        return members.filter { member in !keys.contains { $0.utf8.elementsEqual(member.key.utf8) } }
    }

    /// `schemaVersion` has to be 2 in manifests and indexes.
    func requireSchemaVersion2() throws(OCIError) {
        let version = try required("schemaVersion")
        guard try version.integer() == 2 else { throw version.invalid("2") }
    }

    /// Throws when the document has a field that only another kind of document may have.
    func refuse(_ keys: String...) throws(OCIError) {
        for key in keys where try optional(key) != nil { throw .ambiguousDocument(field: key) }
    }
}

extension JSONValue {
    /// This object with further members; any other value as it is.
    func adding(_ members: [Member]) -> JSONValue {
        guard case .object(let own) = self else { return self }
        return .object(own + members)
    }

    /// An object used as a set: each key with an empty object.
    static func set(_ keys: [String]) -> JSONValue {
        .object(Set(keys).map { Member($0, .object([])) })
    }
}
