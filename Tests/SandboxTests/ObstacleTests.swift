import Bytes
import SystemPackage
import Testing

@testable import Sandbox

@Suite("Obstacles to user namespaces")
struct ObstacleTests {
    @Test(
        "What the machine says explains why clone(2) was refused",
        arguments: [
            (Errno.noSpace, ["user/max_user_namespaces": 0], UserNamespaceObstacle.switchedOff),
            (.noSpace, ["user/max_user_namespaces": 5], .limitReached),
            (.notPermitted, ["kernel/unprivileged_userns_clone": 0], .switchedOffForUnprivileged),
            (.notPermitted, ["kernel/apparmor_restrict_unprivileged_userns": 1], .appArmor),
            (.notPermitted, ["kernel/apparmor_restrict_unprivileged_userns": 0], .forbidden),
            (.notPermitted, [:], .forbidden),
            (.invalidArgument, [:], .notBuilt),
        ] as [(Errno, [ByteString: Int], UserNamespaceObstacle)])
    func ofClone(errno: Errno, sysctls: [ByteString: Int], obstacle: UserNamespaceObstacle) {
        #expect(UserNamespaceObstacle.ofClone(errno, sysctl: { sysctls[$0] }) == obstacle)
    }

    @Test("AppArmor gives the namespace and refuses what is done in it")
    func ofStep() {
        let restricted: (ByteString) -> Int? = { $0 == "kernel/apparmor_restrict_unprivileged_userns" ? 1 : nil }
        #expect(UserNamespaceObstacle.ofStep(.identity, .permissionDenied, sysctl: restricted) == .appArmor)
        #expect(UserNamespaceObstacle.ofStep(.propagation, .permissionDenied, sysctl: restricted) == .appArmor)
        #expect(UserNamespaceObstacle.ofStep(.identity, .permissionDenied, sysctl: { _ in nil }) == nil)
        #expect(UserNamespaceObstacle.ofStep(.overlay, .invalidArgument, sysctl: restricted) == nil)
    }

    @Test(
        "Where they are switched off the message names the setting and what to do",
        .enabled(if: Caller.canMakeNamespaces, "namespaces are forbidden here"))
    func switchedOff() throws {
        let root = try TestRoot()
        // The limit is set in a namespace of the test's own, where root without capabilities counts as unprivileged.
        let script = """
            echo 0 > /proc/sys/user/max_user_namespaces &&
            exec setpriv --bounding-set -all --inh-caps -all "$@"
            """
        let outcome = try Child.run(
            Caller.unprivileged.prefix + ["unshare", "-Ur", "bash", "-c", script, "bash", Probe.path, root.path, "ls"])
        #expect(outcome.status == 125)
        #expect(outcome.errors.contains("cannot create a user namespace"))
        #expect(outcome.errors.contains("sysctl -w user.max_user_namespaces="), "\(outcome.errors)")
    }

    @Test(
        "The root of a foreign user namespace needs none of its own",
        .enabled(if: Caller.canMakeNamespaces, "namespaces are forbidden here"))
    func nested() throws {
        let root = try TestRoot()
        let script = "id -u; rm -r /etc; mkdir /etc; echo x > /etc/x"
        let outcome = try Child.run(
            Caller.unprivileged.prefix + ["unshare", "-Ur", Probe.path, root.path, "bash", "-c", script])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output == "0\n")
    }
}
