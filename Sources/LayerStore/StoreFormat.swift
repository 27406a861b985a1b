import Bytes
import Foundation

/// The version of a store's layout and the features it uses: the file `layerfs.json`.
///
/// Features come in three tiers, as those of ext4: whoever does not know a *compatible* one may read and write all the
/// same, a *read-only-compatible* one forbids writing, an *incompatible* one forbids even reading.
struct StoreFormat: Codable, Equatable {
    static let fileName: ByteString = "layerfs.json"
    /// The version that this program writes.
    static let current = StoreFormat(
        formatVersion: 1, algorithm: "sha256",
        features: Features(
            compatible: [], readOnlyCompatible: [], incompatible: [TreeParts.feature, TreeParts.timesFeature]))
    /// Those of the features that nobody may read without knowing them that this program knows.
    private static let known = Set(current.features.incompatible)

    var formatVersion: Int
    var algorithm: String
    var features: Features

    /// ``current`` as the file has it. Of nearly all stores that is all there is to read, and no decoder is needed for it.
    static let currentText = """
        {
          "algorithm" : "sha256",
          "features" : {
            "compatible" : [

            ],
            "incompatible" : [
              "tree-parts",
              "tree-times"
            ],
            "readOnlyCompatible" : [

            ]
          },
          "formatVersion" : 1
        }

        """

    private struct Version: Decodable {
        var formatVersion: Int
    }

    struct Features: Codable, Equatable {
        var compatible: [String]
        var readOnlyCompatible: [String]
        var incompatible: [String]
    }

    /// What a program that knows ``current`` may do with a store of this format.
    var readOnlyReason: String? {
        features.readOnlyCompatible.isEmpty
            ? nil : "it uses \(features.readOnlyCompatible.joined(separator: ", ")), which this layerfs does not know"
    }

    static func decode(_ bytes: [UInt8], path: ByteString) throws(LayerStoreError) -> StoreFormat {
        if bytes.elementsEqual(currentText.utf8) { return current }
        // The version alone first: what else a newer format has need not be as this one has it.
        if let version = (try? JSONDecoder().decode(Version.self, from: Data(bytes)))?.formatVersion,
            version > current.formatVersion
        {
            throw .newerFormat(path, version: version, features: [])
        }
        let format: StoreFormat
        do {
            format = try JSONDecoder().decode(StoreFormat.self, from: Data(bytes))
        } catch {
            throw .damagedFormat(path, reason: "it is not the JSON that layerfs writes")
        }
        guard format.formatVersion >= 1 else {
            throw .damagedFormat(path, reason: "format version \(format.formatVersion)")
        }
        guard format.formatVersion <= current.formatVersion, format.algorithm == current.algorithm,
            known.isSuperset(of: format.features.incompatible)
        else {
            throw .newerFormat(
                path, version: format.formatVersion,
                features: format.features.incompatible.filter { !known.contains($0) })
        }
        return format
    }

    func encode() throws(LayerStoreError) -> [UInt8] {
        try StoreJSON.encode(self, what: Self.fileName, pretty: true)
    }
}
