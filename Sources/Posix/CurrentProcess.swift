import Glibc

/// What the kernel knows of this process.
public enum CurrentProcess {
    /// getpid(2).
    public static var identifier: Int32 { getpid() }

    /// geteuid(2); 0 is root.
    public static var effectiveUser: UInt32 { geteuid() }

    /// getegid(2).
    public static var effectiveGroup: UInt32 { getegid() }

    public static var isRoot: Bool { geteuid() == 0 }
}
