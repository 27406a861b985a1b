import Bytes
import SystemPackage

/// Copying the content of a file in the cheapest way that the file systems allow.
public enum FileCopy {
    /// How a content came to its new file.
    public enum Method: Hashable, Sendable {
        /// The two files share their blocks on disk.
        case reflink
        case copy
    }

    /// Copies the whole content of `source`, which is at its start, to the empty file `destination`: by reflink, else inside
    /// the kernel, else through memory.
    @discardableResult
    public static func copyContent(
        of source: borrowing OwnedDescriptor, to destination: borrowing OwnedDescriptor
    ) throws(SystemError) -> Method {
        if try reflink(source, to: destination) { return .reflink }
        do {
            try destination.copyRest(of: source)
            return .copy
        } catch  where !isUnable(error) {
            throw error
        } catch {}
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = try source.read(into: buffer)
            if count == 0 { return .copy }
            try destination.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// Lets `destination` share the blocks of `source`; false where the file systems cannot.
    public static func reflink(
        _ source: borrowing OwnedDescriptor, to destination: borrowing OwnedDescriptor
    ) throws(SystemError) -> Bool {
        do {
            try destination.reflink(from: source)
            return true
        } catch  where isUnable(error) {
            return false
        }
    }

    /// Whether the error says "not this way, not here" rather than that something is wrong.
    public static func isUnable(_ error: SystemError) -> Bool {
        switch error.errno {
        case .notSupported, .notSupportedOnSocket, .improperLink, .invalidArgument, .noFunction,
            .inappropriateIOCTLForDevice,
            .permissionDenied, .notPermitted:
            true
        default: false
        }
    }
}
