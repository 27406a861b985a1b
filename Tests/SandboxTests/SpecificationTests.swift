import Bytes
import Sandbox
import Testing

@Suite("Specification")
struct SpecificationTests {
    private static func specification(
        root: ByteString = "/nowhere", command: [ByteString] = ["a"], environment: [ByteString] = [],
        hostname: ByteString = "box"
    ) -> SandboxSpecification {
        var result = SandboxSpecification(root: root, command: command)
        result.environment = environment
        result.hostname = hostname
        return result
    }

    private static let withNUL = ByteString([0x61, 0x3d, 0])
    private static let long = ByteString(repeatElement(0x61, count: 65))

    @Test(
        "What the kernel's interfaces cannot carry is refused before anything is started",
        arguments: [
            (specification(command: []), .emptyCommand),
            (specification(root: ""), .emptyRoot),
            (specification(command: ["a", withNUL]), .containsNUL(withNUL)),
            (specification(environment: [withNUL]), .containsNUL(withNUL)),
            (specification(environment: ["A"]), .variable("A")),
            (specification(environment: ["=A"]), .variable("=A")),
            (specification(hostname: long), .hostname(long)),
        ] as [(SandboxSpecification, InvalidSpecification)])
    func invalid(specification: SandboxSpecification, problem: InvalidSpecification) {
        #expect(throws: SandboxError.invalid(problem)) { try specification.run() }
    }

    @Test(
        "Several run at once in one process of many threads",
        .enabled(if: Caller.canMakeNamespaces, "namespaces are forbidden here"))
    func concurrent() async throws {
        let root = try TestRoot()
        let statuses = try await withThrowingTaskGroup(of: CommandStatus.self) { group in
            for number in 0..<32 {
                group.addTask {
                    var specification = SandboxSpecification(
                        root: ByteString(root.path), command: ["/bin/bash", "-c", ByteString("exit \(number)")])
                    specification.signals = .leave
                    return try specification.run()
                }
            }
            return try await group.reduce(into: Set<CommandStatus>()) { $0.insert($1) }
        }
        #expect(statuses == Set((0..<32).map { CommandStatus.exited($0) }))
    }

    @Test("The status to exit with is the shell's", arguments: [(.exited(3), 3), (.signalled(15), 143)] as [(CommandStatus, Int32)])
    func code(status: CommandStatus, code: Int32) {
        #expect(status.code == code)
    }
}
