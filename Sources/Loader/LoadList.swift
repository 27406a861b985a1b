/// The list of objects whose needs are gone through, in order: `struct list` of glibc's elf/dl-deps.c.
///
/// Needed objects go to its end. A filter's object takes the place right before the filter and is gone through next, so
/// the list is linked: places are indexes, and a place can change its object.
struct LoadList {
    private var objects: [LoadedObject]
    private var isDone = [false]
    private var successors: [Int?] = [nil]
    private var tail = 0

    let first = 0

    init(_ object: LoadedObject) {
        objects = [object]
        object.isListed = true
    }

    /// Every object in the list, in no particular order; one that moved is there twice.
    var all: [LoadedObject] { objects }

    func object(at position: Int) -> LoadedObject { objects[position] }

    mutating func markDone(_ position: Int) { isDone[position] = true }

    /// The place to go on with; the same one when it has taken a filter's object.
    func nextToDo(from position: Int) -> Int? {
        var next: Int? = position
        while let current = next, isDone[current] { next = successors[current] }
        return next
    }

    /// Adds `object` at the end, unless it is in the list.
    mutating func append(_ object: LoadedObject) {
        guard !object.isListed else { return }
        object.isListed = true
        let place = add(object, done: false, next: nil)
        successors[tail] = place
        tail = place
    }

    /// Puts `object` before the one at `position`; one that is further back moves here.
    ///
    /// - Returns: the place that holds what was at `position`.
    mutating func insert(_ object: LoadedObject, before position: Int) -> Int {
        var late: Int?
        if object.isListed {
            var current = position
            while let next = successors[current], objects[next] !== object { current = next }
            // Already before this place: nothing to do.
            guard successors[current] != nil else { return position }
            late = current
        }
        let moved = add(objects[position], done: isDone[position], next: successors[position])
        if var late {
            if late == position { late = moved }
            let removed = successors[late]
            if tail == removed { tail = late }
            successors[late] = removed.flatMap { successors[$0] }
        }
        object.isListed = true
        objects[position] = object
        isDone[position] = false
        successors[position] = moved
        if tail == position { tail = moved }
        return moved
    }

    private mutating func add(_ object: LoadedObject, done: Bool, next: Int?) -> Int {
        objects.append(object)
        isDone.append(done)
        successors.append(next)
        return objects.count - 1
    }
}
