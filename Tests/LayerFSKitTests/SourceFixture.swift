import Bytes
import Foundation
import LayerStore
import TestSupport
import Trees

@testable import LayerFSKit

/// A directory of files made by a shell script, and a store to add them to.
final class SourceFixture {
    let kit: KitFixture
    var directory: String { kit.directory.path + "/host" }

    /// - Parameter script: run by sh in the directory, which is `$PWD`.
    init(_ script: String = "") throws {
        kit = try KitFixture()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try run(script)
    }

    func run(_ script: String) throws {
        let outcome = try Tool.run("sh", ["-euc", "cd '\(directory)'\n\(script)"])
        if outcome.status != 0 { throw ScriptFailure(errors: outcome.errors) }
    }

    struct ScriptFailure: Error { let errors: String }

    /// A mapping of `text`, in which `@` stands for the directory.
    func mapping(_ text: String) throws -> PathMapping {
        try PathMapping(ByteString(text.replacingOccurrences(of: "@", with: directory)))
    }

    /// A request for one layer of what `fill` names.
    func request(_ fill: (inout AddRequest) throws -> Void) throws -> AddRequest {
        var request = AddRequest()
        request.name = try Name("layer")
        // The temporary directory itself may lie below a home directory.
        request.allowed = [ByteString(directory)]
        try fill(&request)
        return request
    }

    func plan(_ fill: (inout AddRequest) throws -> Void) throws -> LayerPlan {
        try PlanLayers(searchPath: ["/usr/bin", "/bin"]).run(request(fill))[0].plan
    }

    /// The tree of the layer that `fill` describes.
    func tree(_ fill: (inout AddRequest) throws -> Void) throws -> Tree {
        try addition(fill).tree
    }

    func addition(_ fill: (inout AddRequest) throws -> Void) throws -> AddLayers.Addition {
        let layers = try PlanLayers(searchPath: ["/usr/bin", "/bin"]).run(request(fill))
        return try AddLayers(kit.workspace).run(layers, replacing: true)[0]
    }

    /// The paths of a tree as text, without `/`.
    static func paths(_ tree: Tree) -> [String] { tree.entries.dropFirst().map(\.path.description) }
}
