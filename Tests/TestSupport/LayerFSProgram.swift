import Foundation

/// The built `layerfs`, to be run as a person would run it.
public struct LayerFSProgram: Sendable {
    /// The store it works on.
    public var store: String
    /// Variables beside PATH, HOME and what the Swift runtime needs.
    public var environment: [String: String] = [:]
    /// A command in front of it that changes what it runs as, such as `setpriv …`.
    public var wrapper: [String] = []

    public init(store: String) { self.store = store }

    /// The program that was built with the tests: it lies beside their bundle.
    public static let path: String = {
        let bundle =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("layerfs").path
    }()

    /// Runs it, whatever comes of it.
    public func run(_ arguments: [String], input: [UInt8]? = nil) throws -> Tool.Outcome {
        let command = wrapper + [Self.path] + arguments
        return try Tool.run(command[0], Array(command.dropFirst()), input: input, environment: variables)
    }

    /// Runs it, whatever comes of it.
    public func run(_ arguments: String...) throws -> Tool.Outcome { try run(arguments) }

    /// Runs it; that it fails is an error.
    @discardableResult
    public func succeed(_ arguments: [String]) throws -> Tool.Outcome {
        let command = wrapper + [Self.path] + arguments
        return try Tool.succeed(command[0], Array(command.dropFirst()), environment: variables)
    }

    /// Runs it; that it fails is an error.
    @discardableResult
    public func succeed(_ arguments: String...) throws -> Tool.Outcome { try succeed(arguments) }

    /// The same as an unprivileged user who is in no group and owns nothing.
    public var unprivileged: LayerFSProgram {
        var program = self
        program.wrapper = User.nobody.wrapper
        return program
    }

    /// What a program that was built with a sanitizer is to be told; empty for others.
    public static let sanitizerOptions = ProcessInfo.processInfo.environment.filter {
        ["ASAN_OPTIONS", "TSAN_OPTIONS"].contains($0.key)
    }

    /// Nothing of the tester's own environment but where things are, so that it changes no result.
    private var variables: [String: String] {
        var variables = ["HOME": "/nonexistent", "LC_ALL": "C", "LAYERFS_STORE": store]
        let inherited = ProcessInfo.processInfo.environment
        for name in ["PATH", "LD_LIBRARY_PATH", "TMPDIR"] { variables[name] = inherited[name] }
        variables.merge(Self.sanitizerOptions) { $1 }
        return variables.merging(environment) { $1 }
    }
}

/// A user that tests run programs as.
public struct User: Sendable {
    public var uid: Int
    public var gid: Int

    /// The kernel's overflow user, which owns nothing.
    public static let nobody = User(uid: 65534, gid: 65534)

    /// The command that runs the rest of its arguments as this user.
    public var wrapper: [String] { ["setpriv", "--reuid", "\(uid)", "--regid", "\(gid)", "--clear-groups"] }
}
