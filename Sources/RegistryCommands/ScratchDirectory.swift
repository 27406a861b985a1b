import Bytes
import Posix
import Registry

/// A directory of this process's own, which nobody else can look into, with a place for an image layout; removed with its owner.
final class ScratchDirectory: Sendable {
    let path: ByteString
    private let parent: SharedDescriptor
    private let name: ByteString

    /// Where the layout goes; nothing is there yet.
    var layout: ByteString { path + "/layout" }

    /// - Parameter directory: in which it is made.
    /// - Throws: `SystemError`.
    init(in directory: ByteString) throws(SystemError) {
        name = ByteString(".layerfs-registry-\(String(UInt64.random(in: 0 ... .max), radix: 36))")
        path = directory + "/" + name
        parent = SharedDescriptor(try Files.open(directory, [.readOnly, .directory]))
        try parent.descriptor.makeDirectory(name, mode: 0o700)
    }

    deinit { try? parent.descriptor.removeTree(name) }
}
