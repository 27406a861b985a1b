import Posix

/// The time of day.
enum WallClock {
    /// Since 1970.
    static var seconds: Int64 { FileTime.now.seconds }
}
