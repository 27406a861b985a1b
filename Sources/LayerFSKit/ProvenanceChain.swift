import Bytes
import LayerStore

/// The way from what was asked for to one path of a layer, through the edges of its provenance.
struct ProvenanceChain {
    private let provenance: Provenance
    private let origins: Provenance.Origins
    /// The edges that lead to a path, or through it where it is a link; in the order in which they were found.
    private var incoming: [TreePath: [Int]] = [:]

    init(_ provenance: Provenance) {
        self.provenance = provenance
        origins = Provenance.Origins(provenance)
        for (index, edge) in provenance.edges.enumerated() {
            for path in Set([edge.to] + (edge.via ?? [])) { incoming[path, default: []].append(index) }
        }
    }

    /// Where `path`, which is no directory, was taken from; nil for the links of a merged /usr.
    func origin(of path: TreePath) -> Provenance.Origin? { origins[path] }

    /// Whether anything is said of `path`, which is no directory.
    func knows(_ path: TreePath) -> Bool { origins[path] != nil || incoming[path] != nil }

    /// The shortest chain of edges to `path`, from a program that was asked for, or from a file that came with something
    /// else (``Provenance/Origin/origin``). Nil where no edge leads to it.
    func edges(to path: TreePath) -> [Provenance.Edge]? {
        // Backwards, breadth first: by which edge a path leads on, and to what on the way to `path`.
        var next: [TreePath: (edge: Provenance.Edge, leadsTo: TreePath)] = [:]
        func chain(from start: TreePath) -> [Provenance.Edge] {
            var edges: [Provenance.Edge] = []
            var current = start
            while current != path, let step = next[current] {
                edges.append(step.edge)
                current = step.leadsTo
            }
            return edges
        }
        var queue = [path]
        var position = 0
        while position < queue.count {
            let current = queue[position]
            position += 1
            if current != path, origins[current]?.origin != nil { return chain(from: current) }
            for index in incoming[current] ?? [] {
                let edge = provenance.edges[index]
                guard let from = edge.from else { return [edge] + chain(from: current) }
                if from != path, next[from] == nil {
                    next[from] = (edge, current)
                    queue.append(from)
                }
            }
        }
        return nil
    }
}
