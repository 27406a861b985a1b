import Bytes
import ImageTransport

/// An image is damaged, as was reported.
struct DamagedImage: Error, CustomStringConvertible {
    let count: Int

    var description: String { "\(count) thing\(count == 1 ? " is" : "s are") wrong with it" }
}

/// What a check of images found, in words.
enum ValidationText {
    static func line(_ problem: ImageProblem) -> String {
        // Names come from outside: shown without what could move a terminal's cursor.
        let place = problem.place.isEmpty ? problem.file : "\(problem.place) (\(problem.file))"
        return "\(problem.kind.rawValue): \(ByteString(place)): \(ByteString(problem.message))"
    }

    static func summary(_ report: ValidationReport) -> String {
        let layers = report.images.reduce(0) { $0 + $1.layers.count }
        var text =
            "checked \(report.kinds.joined(separator: " and ")): \(report.images.count) images, \(layers) layers, "
            + "\(report.files) files (\(ByteCount(report.bytes)))"
        if report.unreferenced > 0 { text += ", \(report.unreferenced) of them named by nothing" }
        return text + (report.isSound ? ": all is well" : ": \(report.problems.count) wrong")
    }
}
