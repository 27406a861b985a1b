import Foundation

/// Test inputs shared by developers, outside the repository: `../shared/corpus`, or what LAYERFS_CORPUS names.
public enum Corpus {
    private static let root: String =
        ProcessInfo.processInfo.environment["LAYERFS_CORPUS"]
        ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../shared/corpus").standardizedFileURL.path

    /// The path of `folder`; where it is absent a test is skipped, but in CI it fails for want of it.
    public static func folder(_ folder: String) -> String { root + "/" + folder }

    public static func isPresent(_ folder: String) -> Bool {
        isCI || FileManager.default.fileExists(atPath: self.folder(folder))
    }

    public static func file(_ folder: String, _ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(fileURLWithPath: root + "/\(folder)/\(name)")))
    }

    /// The files of `folder` except the tables; none where it is absent, as `@Test(arguments:)` needs it.
    public static func names(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self.folder(folder))) ?? [])
            .filter { !$0.hasSuffix(".tsv") }.sorted()
    }

    /// The rows of a table, split at tabs, without comments.
    public static func rows(_ folder: String, _ table: String) -> [[String]] {
        guard let bytes = try? file(folder, table) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    }
}

/// Whether the tests run in CI, where nothing they need may be absent.
public let isCI = ProcessInfo.processInfo.environment["CI"] != nil

/// Whether the tests run under AddressSanitizer or ThreadSanitizer (`make sanitize`), whose memory is no measure.
public let isSanitized = !LayerFSProgram.sanitizerOptions.isEmpty
