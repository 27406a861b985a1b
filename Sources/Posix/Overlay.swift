public import Bytes
import CLinux
import SystemPackage

/// Mounting file systems of the type overlay, and unmounting.
public enum Overlay {
    /// The bytes of options that mount(2) takes: a page, with the NUL at the end.
    private static let optionLimit = 4095

    /// Directories that changes to an overlay go to: both in the same directory, which is open.
    public struct Upper: Sendable {
        public var directory: SharedDescriptor
        /// The names in it of the directory of changes, and of the one that the kernel needs for itself. Without commas and the like.
        public var changes: ByteString
        public var work: ByteString

        public init(directory: SharedDescriptor, changes: ByteString, work: ByteString) {
            (self.directory, self.changes, self.work) = (directory, changes, work)
        }
    }

    /// How many directories of names as long as `length` can be stacked below `descriptor`, an open directory.
    public static func capacity(nameLength length: Int) -> Int {
        // `lowerdir=`, an upper and a work directory; then a descriptor's number of at most seven digits, two slashes and a colon.
        (optionLimit - 128) / (length + "/proc/self/fd/".utf8.count + 7 + 2)
    }

    /// Mounts the directories `names` of `layers`, the lowest first, on the open directory `target`: read-only without an `upper`, and
    /// without device nodes (mount(2), MS_NODEV).
    ///
    /// The layers are named by descriptor, since a colon, comma or backslash in a path would be taken for syntax; in
    /// ``MountTable/Mount/options`` their own names can be read.
    ///
    /// - Parameters:
    ///   - names: at least two without an upper directory; without colons, commas and backslashes.
    ///   - source: what ``MountTable/Mount/source`` is to be.
    /// - Throws: EPERM without the right to mount; E2BIG when there are more names than options have room for.
    public static func mount(
        _ names: [ByteString], of layers: borrowing OwnedDescriptor, upper: Upper? = nil, source: ByteString,
        on target: borrowing OwnedDescriptor
    ) throws(SystemError) {
        let lower = names.reversed().map { "/proc/self/fd/\(layers.rawValue)/" + $0.description }
        var options = ByteString("lowerdir=" + lower.joined(separator: ":"))
        if let upper {
            let place = ByteString("/proc/self/fd/\(upper.directory.descriptor.rawValue)/")
            options = options + ",upperdir=" + place + upper.changes + ",workdir=" + place + upper.work
        }
        guard options.count <= optionLimit else { throw SystemError("mount", target.path, .argListTooLong) }
        let (place, shown, isWritable) = (ByteString("/proc/self/fd/\(target.rawValue)"), target.path, upper != nil)
        try source.withCPath(for: "mount") { (source) throws(SystemError) in
            try place.withCPath(for: "mount") { (place) throws(SystemError) in
                try options.withCPath(for: "mount") { (options) throws(SystemError) in
                    _ = try retrying("mount", shown) { clinux_mount(source, place, "overlay", isWritable, options) }
                }
            }
        }
        withExtendedLifetime(upper) {}
    }

    /// Takes away the topmost mount at `path`, which is not followed if it is a link (umount2(2)).
    ///
    /// - Throws: EBUSY while something in it is open or a current directory; EPERM without the right.
    public static func unmount(_ path: ByteString) throws(SystemError) {
        try path.withCPath(for: "umount2") { (name) throws(SystemError) in
            _ = try retrying("umount2", path) { clinux_unmount(name) }
        }
    }
}
