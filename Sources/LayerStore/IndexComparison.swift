import GRDB

/// Compares what two indexes say, by their public views.
enum IndexComparison {
    private static let questions = [
        "v1_layers ORDER BY name, record", "v1_entries ORDER BY layer, path", "v1_edges ORDER BY layer, position",
        "v1_images ORDER BY name, record, position",
    ]

    /// The view in which `index` differs from `truth`; nil when it does not.
    static func difference(_ index: LayerIndex, _ truth: LayerIndex) throws(LayerStoreError) -> String? {
        try index.read("read") { database in
            // What is sorted is as large as the index: it must not be in memory.
            try database.execute(sql: "PRAGMA temp_store = FILE")
            if let fault = try String.fetchOne(database, sql: "PRAGMA integrity_check(1)"), fault != "ok" {
                return fault
            }
            return try truth.read("read") { other in
                try other.execute(sql: "PRAGMA temp_store = FILE")
                for question in questions {
                    let left = try Row.fetchCursor(database, sql: "SELECT * FROM \(question)")
                    let right = try Row.fetchCursor(other, sql: "SELECT * FROM \(question)")
                    while true {
                        let (found, expected) = (try left.next(), try right.next())
                        if found != expected { return "\(question.prefix { $0 != " " }) is not what the records say" }
                        if found == nil { break }
                    }
                }
                return nil
            }
        }
    }
}
