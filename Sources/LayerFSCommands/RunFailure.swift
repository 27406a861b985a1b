/// A failure of `layerfs run` itself, whose exit codes are those of container engines.
struct RunFailure: Error {
    let cause: any Error

    init(_ cause: any Error) { self.cause = cause }
}
