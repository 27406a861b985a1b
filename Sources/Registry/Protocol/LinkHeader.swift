/// `Link: </v2/…?last=x>; rel="next"` (RFC 8288), by which lists go on (distribution-spec, Listing tags).
enum LinkHeader {
    /// The target whose relation is `next`; nil when there is none.
    static func next(_ text: String) -> String? {
        for link in text.split(separator: "<").dropFirst(text.hasPrefix("<") ? 0 : 1) {
            guard let end = link.firstIndex(of: ">") else { continue }
            let parameters = link[link.index(after: end)...].lowercased().filter { $0 != " " && $0 != "\"" }
            if parameters.split(whereSeparator: { ";,".contains($0) }).contains("rel=next") {
                return String(link[..<end])
            }
        }
        return nil
    }
}
