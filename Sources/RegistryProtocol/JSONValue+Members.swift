package import OCI

// Documents whose form is nobody's specification are read leniently: what is absent or of another type is nil.
extension JSONValue {
    package subscript(_ key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var integer: Int64? {
        guard case .integer(let number) = self else { return nil }
        return number
    }

    package var elements: [JSONValue] {
        guard case .array(let values) = self else { return [] }
        return values
    }

    package var members: [Member] {
        guard case .object(let members) = self else { return [] }
        return members
    }

    /// With `key` set to `value`, or without it where `value` is nil.
    package func setting(_ key: String, to value: JSONValue?) -> JSONValue {
        var members = members
        if let index = members.firstIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) {
            if let value { members[index].value = value } else { members.remove(at: index) }
        } else if let value {
            members.append(Member(key, value))
        }
        return .object(members)
    }
}
