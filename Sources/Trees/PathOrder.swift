import Bytes

/// The order of paths in two parts, of which a slash is left out between them.
package enum PathOrder {
    /// As the whole strings are ordered, bytewise.
    package static func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        let order = ByteComparison.comparePrefix(left, right)
        return order != 0 ? order : left.count - right.count
    }

    package static func compare(
        _ directory: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer,
        _ otherDirectory: UnsafeRawBufferPointer, _ otherName: UnsafeRawBufferPointer
    ) -> Int {
        let order = ByteComparison.comparePrefix(directory, otherDirectory)
        if order != 0 { return order }
        if directory.count == otherDirectory.count { return compare(name, otherName) }
        return directory.count < otherDirectory.count
            ? compareAbove(name, UnsafeRawBufferPointer(rebasing: otherDirectory[directory.count...]))
            : -compareAbove(otherName, UnsafeRawBufferPointer(rebasing: directory[otherDirectory.count...]))
    }

    /// The order of a slash and `name`, and `rest`, a slash and more; `rest` is not empty and `name` has no slash.
    private static func compareAbove(_ name: UnsafeRawBufferPointer, _ rest: UnsafeRawBufferPointer) -> Int {
        let slash = Int(UInt8(ascii: "/"))
        if Int(rest[0]) != slash { return slash - Int(rest[0]) }
        let below = UnsafeRawBufferPointer(rebasing: rest[1...])
        let order = ByteComparison.comparePrefix(name, below)
        if order != 0 { return order }
        // What comes after the same bytes: more of the name, or the slash behind the directory.
        return name.count > below.count ? Int(name[below.count]) - slash : -1
    }
}
