import Bytes
import Posix
import SystemPackage

/// What keeps an unprivileged process from a user namespace of its own.
public enum UserNamespaceObstacle: Hashable, Sendable {
    /// `user.max_user_namespaces` is 0.
    case switchedOff
    /// Debian's `kernel.unprivileged_userns_clone` is 0.
    case switchedOffForUnprivileged
    /// Ubuntu's `kernel.apparmor_restrict_unprivileged_userns` is 1: the namespace is given, without any capability.
    case appArmor
    /// As many as `user.max_user_namespaces` (or another limit of namespaces(7), /proc/sys/user) allows are in use, or
    /// 32 are nested.
    case limitReached
    /// The kernel was built without them.
    case notBuilt
    /// None of these: a seccomp filter, as in a container, or a process whose root was changed by chroot.
    case forbidden

    /// What to do, as a sentence.
    public var remedy: String {
        let orRoot = ", or run as root"
        return switch self {
        case .switchedOff:
            "They are switched off: sysctl -w user.max_user_namespaces=15000" + orRoot
        case .switchedOffForUnprivileged:
            "They are switched off for unprivileged users: sysctl -w kernel.unprivileged_userns_clone=1" + orRoot
        case .appArmor:
            "AppArmor restricts them: give layerfs a profile with the rule 'userns,', or "
                + "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" + orRoot
        case .limitReached:
            "A limit of /proc/sys/user is reached, or too many are nested: raise user.max_user_namespaces" + orRoot
        case .notBuilt: "The kernel is built without them (CONFIG_USER_NS): run as root"
        case .forbidden:
            "A seccomp filter (of a container) or a chroot forbids it: run layerfs outside, or start the container "
                + "with --privileged" + orRoot
        }
    }

    /// The obstacle behind clone(2) failing with `errno`.
    static func ofClone(_ errno: Errno, sysctl: (ByteString) -> Int? = Self.sysctl) -> UserNamespaceObstacle {
        if sysctl("user/max_user_namespaces") == 0 { return .switchedOff }
        if sysctl("kernel/unprivileged_userns_clone") == 0 { return .switchedOffForUnprivileged }
        switch errno {
        case .noSpace, Errno(rawValue: 87 /* EUSERS, of kernels before 4.9 */): return .limitReached
        case .invalidArgument, .noFunction: return .notBuilt
        default: return appArmorRestricts(sysctl) ? .appArmor : .forbidden
        }
    }

    /// The obstacle behind a step inside a new user namespace being refused; nil when it is not the namespace's fault.
    static func ofStep(
        _ step: SandboxStep, _ errno: Errno, sysctl: (ByteString) -> Int? = Self.sysctl
    ) -> UserNamespaceObstacle? {
        guard [.identity, .propagation, .scratch].contains(step), [.notPermitted, .permissionDenied].contains(errno)
        else { return nil }
        return appArmorRestricts(sysctl) ? .appArmor : nil
    }

    private static func appArmorRestricts(_ sysctl: (ByteString) -> Int?) -> Bool {
        (sysctl("kernel/apparmor_restrict_unprivileged_userns") ?? 0) > 0
    }

    /// The value of a number below /proc/sys; nil where this kernel has none.
    static func sysctl(_ name: ByteString) -> Int? {
        guard let bytes = try? Files.read("/proc/sys/" + name, limit: 64) else { return nil }
        return Int(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}
