import Bytes

extension PackedEntries {
    /// Whether the entries at `range` are those of `other` at `otherRange`, of which there are as many.
    func hasSame(_ range: Range<Int>, as other: PackedEntries, _ otherRange: Range<Int>) -> Bool {
        if range == otherRange, records.shareStorage(with: other.records) { return true }
        let (names, otherNames) = (textRange(range), other.textRange(otherRange))
        let haveSameText = text.withUnsafeBytes { mine in
            other.text.withUnsafeBytes { theirs in
                ByteComparison.areEqual(
                    UnsafeRawBufferPointer(rebasing: mine[names]), UnsafeRawBufferPointer(rebasing: theirs[otherNames]))
            }
        }
        guard haveSameText else { return false }
        // What was found equal last is mostly what is asked next.
        var (aspect, directory): ((UInt32, UInt32)?, (UInt32, UInt32)?)
        for (index, otherIndex) in zip(range, otherRange) {
            let (mine, theirs) = (records[index], other.records[otherIndex])
            guard mine.digest == theirs.digest, mine.size == theirs.size, mine.seconds == theirs.seconds,
                mine.nanoseconds == theirs.nanoseconds,
                mine.textEnd - names.lowerBound == theirs.textEnd - otherNames.lowerBound
            else { return false }
            if aspect.map({ $0 != (mine.aspect, theirs.aspect) }) ?? true {
                guard aspects[Int(mine.aspect)] == other.aspects[Int(theirs.aspect)] else { return false }
                aspect = (mine.aspect, theirs.aspect)
            }
            if directory.map({ $0 != (mine.directory, theirs.directory) }) ?? true {
                let lieTogether = withParts(index) { path, _ in
                    other.withParts(otherIndex) { otherPath, _ in ByteComparison.areEqual(path, otherPath) }
                }
                guard lieTogether else { return false }
                directory = (mine.directory, theirs.directory)
            }
        }
        return true
    }

    /// Whether two entries are the same but for their times.
    func hasSame(_ index: Int, as other: PackedEntries, _ otherIndex: Int) -> Bool {
        let (mine, theirs) = (records[index], other.records[otherIndex])
        guard mine.digest == theirs.digest, mine.size == theirs.size,
            aspects[Int(mine.aspect)] == other.aspects[Int(theirs.aspect)]
        else { return false }
        // With the target of a link behind the name.
        let (range, otherRange) = (textRange(index..<(index + 1)), other.textRange(otherIndex..<(otherIndex + 1)))
        let haveSameText = text.withUnsafeBytes { mine in
            other.text.withUnsafeBytes { theirs in
                ByteComparison.areEqual(
                    UnsafeRawBufferPointer(rebasing: mine[range]), UnsafeRawBufferPointer(rebasing: theirs[otherRange]))
            }
        }
        return haveSameText
            && withParts(index) { path, _ in
                other.withParts(otherIndex) { otherPath, _ in ByteComparison.areEqual(path, otherPath) }
            }
    }

    /// The entries at `order`, one after the other.
    func reordered(_ order: some Sequence<Int>) -> PackedEntries {
        var result = PackedEntries()
        for index in order { result.append(entry(index)) }
        return result
    }
}
