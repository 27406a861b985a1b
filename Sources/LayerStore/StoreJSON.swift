import Bytes
import Foundation

/// JSON as the store's documents have it: sorted keys, plain slashes; one value has one form.
enum StoreJSON {
    static func encode(
        _ value: some Encodable, what: ByteString, pretty: Bool = false
    ) throws(LayerStoreError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        do {
            return try [UInt8](encoder.encode(value)) + (pretty ? [UInt8(ascii: "\n")] : [])
        } catch {
            throw .damagedRecord(what, reason: "cannot be written as JSON: \(error)")
        }
    }

    /// Appends an array to `text`, made a part at a time: the encoder needs ten times the memory of what it writes.
    static func append(
        _ elements: [some Encodable], to text: inout [UInt8], what: ByteString
    ) throws(LayerStoreError) {
        text.append(UInt8(ascii: "["))
        for start in stride(from: 0, to: elements.count, by: partSize) {
            let part = try encode(Array(elements[start..<min(start + partSize, elements.count)]), what: what)
            if start > 0 { text.append(UInt8(ascii: ",")) }
            text.append(contentsOf: part.dropFirst().dropLast())
        }
        text.append(UInt8(ascii: "]"))
    }

    private static let partSize = 256

    static func decode<Value: Decodable>(
        _ type: Value.Type, _ bytes: [UInt8], what: ByteString
    ) throws(LayerStoreError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw .damagedRecord(what, reason: Self.reason(error))
        } catch {
            throw .damagedRecord(what, reason: "\(error)")
        }
    }

    private static func reason(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "it has no '\(key.stringValue)'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' has the wrong type"
        case .dataCorrupted(let context): context.debugDescription
        @unknown default: "\(error)"
        }
    }
}
