import Digests
import LayerFSKit
import OCI
import Registry
import Synchronization

/// Keeps what the blobs of a push or pull are at, for the display: one line each, in the order in which they began.
final class TransferBoard: TransferObserver {
    private let running = Mutex<[(digest: DescriptorDigest, state: ProgressMeter.State)]>([])

    var states: [ProgressMeter.State] { running.withLock { $0.map(\.state) } }

    func transfer(_ blob: Descriptor, _ event: TransferEvent) {
        running.withLock { running in
            let index = running.firstIndex { $0.digest == blob.digest }
            switch event {
            case .reached(let count):
                let state = ProgressMeter.State(
                    activity: Self.label(blob), done: UInt64(clamping: count), total: UInt64(clamping: blob.size))
                if let index { running[index].state = state } else { running.append((blob.digest, state)) }
            case .ended:
                if let index { running.remove(at: index) }
            }
        }
    }

    private static func label(_ blob: Descriptor) -> String {
        (try? blob.sha256().short) ?? "\(blob.digest)"
    }
}
