import Bytes
import Posix
import TestSupport
import Testing

struct RemoveTreeTests {
    @Test("a tree is removed with all in it; a link is removed, not what it names") func removal() throws {
        let folder = try TemporaryDirectory()
        let root = try Files.open(ByteString(folder.path), [.readOnly, .directory])
        try root.makeDirectory("keep")
        try folder.write("keep/file", [1])
        try root.makeDirectory("tree")
        let tree = try root.open("tree", [.readOnly, .directory])
        try tree.makeDirectory("sub")
        try folder.write("tree/sub/file", [2])
        try tree.makeSymlink("link", target: "../keep")
        try root.removeTree("tree")
        try root.removeTree("absent")
        #expect(try folder.contents() == ["keep", "keep/file"])
    }
}
