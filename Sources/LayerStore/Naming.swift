import Posix

/// The naming of what a commit brings, on another thread while its rows of the index are made.
final class Naming {
    private let work = OrderedWork<Void, LayerStoreError>(threads: 1)
    private var result: Result<Void, LayerStoreError>?

    /// Begins; where no thread is to be had, it is done right now.
    init(_ body: @escaping @Sendable () throws(LayerStoreError) -> Void) { work.add(body) }

    /// Waits until it is done.
    ///
    /// - Throws: what it threw, each time.
    func finish() throws(LayerStoreError) {
        let result =
            self.result
            ?? Result { () throws(LayerStoreError) in
                _ = try work.next()
            }
        self.result = result
        try result.get()
    }
}
