public import Bytes
import Posix
import SystemPackage

/// Takes away a mount that ``MountRoot`` made, and no other.
public struct UnmountRoot: Sendable {
    public init() {}

    /// Takes away the mount at `path`.
    ///
    /// - Throws: ``LayerFSError/notMounted(_:)``, ``LayerFSError/mountBusy(_:)``, ``LayerFSError/mountNotPermitted(_:)``.
    public func run(at path: ByteString) throws(LayerFSError) {
        let point = try point(at: path)
        do {
            try Overlay.unmount(point)
        } catch  where error.errno == .resourceBusy {
            throw .mountBusy(path)
        } catch  where error.errno == .notPermitted {
            throw .mountNotPermitted(path)
        } catch {
            throw .system(step: "unmount \(path)", error)
        }
    }

    /// The place of the mount, without links. Nothing is open there any more, which would keep the mount busy.
    private func point(at path: ByteString) throws(LayerFSError) -> ByteString {
        do {
            let directory = try Files.open(path, [.path, .directory])
            guard let mount = try MountTable.current().mount(at: directory), mount.type == "overlay",
                mount.source.hasPrefix(MountSummary.sourcePrefix)
            else { throw LayerFSError.notMounted(path) }
            return mount.point
        } catch let error as LayerFSError {
            throw error
        } catch let error as SystemError where error.errno == .noSuchFileOrDirectory {
            throw .noSuchTarget(path)
        } catch let error as SystemError where error.errno == .notDirectory {
            throw .notMounted(path)
        } catch let error as SystemError {
            throw .system(step: "look at \(path)", error)
        } catch {
            throw .notMounted(path)
        }
    }
}
