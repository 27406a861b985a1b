import OCI

/// The names of images in Docker's archives, which programs shorten as they like.
enum DockerName {
    /// Whether `a` and `b` are the same once what they leave out is filled in: `x:1` is `docker.io/library/x:1`.
    static func areSame(_ a: String, _ b: String) -> Bool {
        if a == b { return true }
        guard let first = try? Reference(parsing: a), let second = try? Reference(parsing: b) else { return false }
        return first.qualified == second.qualified
    }
}
