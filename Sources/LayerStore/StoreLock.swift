import Bytes
import Glibc
import Posix
import SystemPackage

/// The lock of a store: the file `lock`, held shared by all who add or read, exclusively by who removes content.
///
/// It is an flock(2): the kernel lets go of it when its holder dies, so a killed command never leaves a store locked.
struct StoreLock: ~Copyable, Sendable {
    private let lock: FileLock?

    private init(_ lock: consuming FileLock?) { self.lock = lock }

    /// No lock: its owner knows of one that is held.
    static var none: StoreLock { StoreLock(nil) }

    /// Takes the lock, waiting up to `patience` for others to let go.
    ///
    /// - Throws: ``LayerStoreError/busy(_:holder:)`` when they do not.
    init(_ store: StoreDirectory, _ mode: FileLock.Mode, patience: Duration) throws(LayerStoreError) {
        do {
            lock = try Self.take(store, mode, patience: patience)
        } catch {
            // Without the file, or the right to open it, nobody who could write is excluded: reading goes on unlocked.
            guard mode == .shared, error.errno == .noSuchFileOrDirectory || error.errno == .permissionDenied else {
                throw error.errno == .wouldBlock
                    ? .busy(store.path, holder: LockHolder.describe(in: store)) : .system(step: "lock the store", error)
            }
            lock = nil
        }
        if mode == .exclusive { LockHolder.record(in: store) }
    }

    /// Runs `body` if the store can be had alone at this moment; meanwhile a lock that is held shared becomes exclusive.
    ///
    /// - Throws: ``LayerStoreError/busy(_:holder:)`` when somebody else takes the store for himself before it is shared again.
    borrowing func whileAlone(
        _ store: StoreDirectory, _ held: FileLock.Mode, patience: Duration, _ body: () -> Void
    ) throws(LayerStoreError) {
        if held == .exclusive { return body() }
        // Converting lets go of the lock for a moment (flock(2), NOTES): nothing that was read before may be relied on.
        do throws(SystemError) {
            try convert(to: .exclusive)
            body()
        } catch  where error.errno == .wouldBlock {
        } catch {
            throw .system(step: "lock the store", error)
        }
        let deadline = ContinuousClock.now + patience
        while true {
            do throws(SystemError) {
                return try convert(to: .shared)
            } catch  where error.errno == .wouldBlock {
                guard ContinuousClock.now < deadline else {
                    throw .busy(store.path, holder: LockHolder.describe(in: store))
                }
                usleep(20_000)
            } catch {
                throw .system(step: "lock the store", error)
            }
        }
    }

    private borrowing func convert(to mode: FileLock.Mode) throws(SystemError) {
        switch lock {
        case .some(let lock): try lock.convert(to: mode)
        case .none where mode == .shared: return
        case .none: throw SystemError("flock", nil, .wouldBlock)
        }
    }

    /// The lock under which references and index change together; held for moments only.
    static func commit(_ store: StoreDirectory, patience: Duration) throws(LayerStoreError) -> FileLock {
        do {
            return try acquire(store, "refs", .exclusive, patience: patience)
        } catch  where error.errno == .wouldBlock {
            throw .busy(store.path, holder: "a layerfs command that is writing its references")
        } catch {
            throw .system(step: "lock the store's references", error)
        }
    }

    /// Takes the lock in turn.
    ///
    /// Who wants the store alone closes the turnstile (an flock on `staging/`) and waits for those who are inside; those who come later
    /// wait before it. Without it a stream of short commands would keep it waiting for ever. They do not wait for long: if one
    /// that is inside takes hours, nobody else is kept out so long.
    private static func take(
        _ store: StoreDirectory, _ mode: FileLock.Mode, patience: Duration
    ) throws(SystemError) -> FileLock {
        let deadline = ContinuousClock.now + patience
        let turnstile = turnstile(store, mode, patience: mode == .exclusive ? patience : min(patience, .seconds(1)))
        let lock = try acquire(store, "lock", mode, patience: deadline - ContinuousClock.now)
        _ = consume turnstile
        return lock
    }

    /// nil where it could not be had: then there is no order.
    private static func turnstile(
        _ store: StoreDirectory, _ mode: FileLock.Mode, patience: Duration
    ) -> FileLock? {
        guard let directory = try? store.root.open("staging", [.readOnly, .directory]) else { return nil }
        return try? FileLock.waiting(for: directory, mode, patience: patience)
    }

    private static func acquire(
        _ store: StoreDirectory, _ name: ByteString, _ mode: FileLock.Mode, patience: Duration
    ) throws(SystemError) -> FileLock {
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                return try FileLock(try store.root.open(name, .readOnly), mode)
            } catch  where error.errno == .wouldBlock && ContinuousClock.now < deadline {
                usleep(20_000)
            }
        }
    }
}
