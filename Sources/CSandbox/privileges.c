// What the command may do. The same for everybody: in a user namespace these capabilities only concern what belongs to
// it; for root they are those of the machine, and a root process that could mount, make device nodes or open files by
// handle would reach the store behind the overlay.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/// The defaults of container engines, without CAP_MKNOD: there is no device controller here that would keep a node for
/// the host's disk from being used.
static const uint64_t kept = 1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FOWNER | 1ull << CAP_FSETID
    | 1ull << CAP_KILL | 1ull << CAP_SETGID | 1ull << CAP_SETUID | 1ull << CAP_SETPCAP | 1ull << CAP_NET_BIND_SERVICE
    | 1ull << CAP_NET_RAW | 1ull << CAP_SYS_CHROOT | 1ull << CAP_AUDIT_WRITE | 1ull << CAP_SETFCAP;

static int read_capabilities(struct __user_cap_data_struct data[2]) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    return (int)syscall(SYS_capget, &header, data);
}

bool csandbox_is_privileged(void) {
    struct __user_cap_data_struct data[2];
    return geteuid() == 0 && read_capabilities(data) == 0 && (data[0].effective & (1u << CAP_SYS_ADMIN)) != 0;
}

void drop_privileges(void) {
    // The caller's keys are not the command's business. Kernels without keys, and filters that forbid the call, have
    // none to give away.
    (void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);

    for (int capability = 0; capability < 64; capability++) {
        if (kept >> capability & 1) continue;
        // EINVAL: the kernel knows no higher ones.
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL)
            fail(CSANDBOX_STEP_PRIVILEGES, "capability bounding set");
    }
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (read_capabilities(data) != 0) fail(CSANDBOX_STEP_PRIVILEGES, "capabilities");
    for (int word = 0; word < 2; word++) {
        uint32_t keep = data[word].permitted & (uint32_t)(kept >> 32 * word);
        data[word] = (struct __user_cap_data_struct){.effective = keep, .permitted = keep, .inheritable = 0};
    }
    if (syscall(SYS_capset, &header, data) != 0) fail(CSANDBOX_STEP_PRIVILEGES, "capabilities");

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail(CSANDBOX_STEP_PRIVILEGES, "no_new_privs");
    forbid_terminal_injection();

    // From here to execve(2) nobody inside may look at this process: its /proc/PID/exe is the host's layerfs
    // (CVE-2019-5736), its memory a copy of the parent's.
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) fail(CSANDBOX_STEP_PRIVILEGES, "dumpable");
}
