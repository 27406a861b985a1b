import Bytes
import Synchronization

/// The store's index, opened when it is first asked: to open it takes longer than much that needs none.
final class LazyIndex: Sendable {
    private let path: ByteString
    /// nil until it was opened, or could not be.
    private let opened: Mutex<LayerIndex??>

    init(path: ByteString, opened index: LayerIndex?) {
        self.path = path
        opened = Mutex(index.map { .some($0) })
    }

    var value: LayerIndex? {
        opened.withLock { opened in
            if let opened { return opened }
            let index = try? LayerIndex(path: path, access: .reading)
            opened = .some(index)
            return index
        }
    }
}
