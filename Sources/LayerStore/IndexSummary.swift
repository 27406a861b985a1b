import Digests
import GRDB

/// What an index holds.
public struct IndexSummary: Hashable, Sendable, Codable {
    /// With a name, or in an image.
    public var layers: Int
    public var images: Int
    public var entries: Int
    /// Distinct contents of files.
    public var contents: Int
}

extension Store {
    /// Counts what the index holds.
    public func indexSummary() throws(LayerStoreError) -> IndexSummary {
        try currentIndex().read("read") { database in
            func count(_ table: String, _ what: String = "count(*)") throws -> Int {
                try Int.fetchOne(database, sql: "SELECT \(what) FROM \(table)") ?? 0
            }
            return IndexSummary(
                layers: try count("layers"), images: try count("images"), entries: try count("layers", "sum(entries)"),
                contents: try count("directory_entries", "count(DISTINCT blob)"))
        }
    }
}
