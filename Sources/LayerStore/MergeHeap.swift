/// The smallest of some values, and what comes after it (a binary heap).
struct MergeHeap<Element: Comparable> {
    private var elements: [Element] = []

    var first: Element? { elements.first }

    mutating func insert(_ element: Element) {
        elements.append(element)
        var position = elements.count - 1
        while position > 0, elements[position] < elements[(position - 1) / 2] {
            elements.swapAt(position, (position - 1) / 2)
            position = (position - 1) / 2
        }
    }

    mutating func removeFirst() {
        let last = elements.removeLast()
        if !elements.isEmpty { replaceFirst(last) }
    }

    /// Puts `element` in the place of the smallest.
    mutating func replaceFirst(_ element: Element) {
        elements[0] = element
        var position = 0
        while true {
            var smallest = position
            for child in (position * 2 + 1)..<(position * 2 + 3) where child < elements.count {
                if elements[child] < elements[smallest] { smallest = child }
            }
            if smallest == position { return }
            elements.swapAt(position, smallest)
            position = smallest
        }
    }
}
