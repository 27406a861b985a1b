import Testing

@testable import Trees

struct NameTests {
    @Test(arguments: ["bash", "a", "_x", "team/shell", "shell:1.2", "A-b.c_d", "gcc-12", "a/b/c:latest"])
    func theseAreNames(_ text: String) throws {
        #expect(try Name(text).text == text)
    }

    @Test(arguments: [
        "", "+", "a+b", "/a", "a/", "a//b", ".a", "-a", "..", "a/../b", "a b", "a:", ":a", "a:b:c", "é", "a\n", "[",
        String(repeating: "a", count: 129), "a/b/c/d/e/f/g/h/i",
    ])
    func theseAreNot(_ text: String) {
        #expect(throws: NameError.self) { try Name(text) }
    }

    @Test func anExpressionStacksNames() throws {
        #expect(try RootExpression("bash+ls+team/x:1").names.map(\.text) == ["bash", "ls", "team/x:1"])
        #expect(try RootExpression("bash").singleName == Name("bash"))
    }

    @Test(arguments: ["", "+", "a+", "+a", "a++b", "a+b c"])
    func theseAreNoExpressions(_ text: String) {
        #expect(throws: NameError.self) { try RootExpression(text) }
    }
}
