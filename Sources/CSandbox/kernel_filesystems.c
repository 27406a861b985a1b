// /proc, /sys and /tmp. The lists of what is hidden and what is read-only are those that container engines give
// runtimes (OCI runtime-spec, config-linux.md, "Masked Paths" and "Readonly Paths").
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const read_only[] = {"bus", "fs", "irq", "sys", "sysrq-trigger"};

static const char *const masked[] = {
    "acpi", "asound",        "interrupts", "kcore",       "keys",
    "scsi", "latency_stats", "timer_list", "timer_stats", "sched_debug",
};

static const char *const masked_sys[] = {"firmware", "devices/virtual/powercap"};

// The names are the kernel's own, relative to the new mount, so nothing can turn them elsewhere.

static void make_read_only(int proc, const char *name) {
    int mount = clone_mount(proc, name, false);
    if (mount < 0) {
        if (errno == ENOENT) return;
        fail(CSANDBOX_STEP_PROC, name);
    }
    int target = openat(proc, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (target < 0 || make_mount_read_only(mount, false) != 0 || attach_mount(mount, target) != 0)
        fail(CSANDBOX_STEP_PROC, name);
    close(target);
    close(mount);
}

/// An empty read-only directory over a directory, /dev/null over a file.
///
/// `name` is relative to `directory`, which is also the current directory.
static void mask(int directory, const char *name, int devices, enum csandbox_step step) {
    struct stat status;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return;
        fail(step, name);
    }
    if (S_ISDIR(status.st_mode)) {
        if (mount("tmpfs", name, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0555,size=4k") != 0)
            fail(step, name);
        return;
    }
    int copy = clone_mount(devices, "null", false);
    int target = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (copy < 0 || target < 0 || attach_mount(copy, target) != 0) fail(step, name);
    close(target);
    close(copy);
}

void mount_proc(int root) {
    int target = open_mount_point(root, "proc", 0555, CSANDBOX_STEP_PROC);
    if (fchdir(target) != 0) fail(CSANDBOX_STEP_PROC, "/proc");
    if (mount("proc", ".", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0) fail(CSANDBOX_STEP_PROC, "/proc");
    close(target);

    int proc = openat(root, "proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int devices = openat(root, "dev", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (proc < 0 || devices < 0 || fchdir(proc) != 0) fail(CSANDBOX_STEP_PROC, "/proc");
    for (size_t index = 0; index < sizeof read_only / sizeof *read_only; index++)
        make_read_only(proc, read_only[index]);
    for (size_t index = 0; index < sizeof masked / sizeof *masked; index++)
        mask(proc, masked[index], devices, CSANDBOX_STEP_PROC);
    close(devices);
    close(proc);
}

void mount_sys(int root) {
    int target = open_mount_point(root, "sys", 0555, CSANDBOX_STEP_SYS);
    // The host's, since a fresh one belongs to a network namespace, and the network is the host's. Whoever may not have
    // it (a host without /sys, a kernel before 5.12) has an empty directory: few programs look, none needs it.
    int system = clone_mount(AT_FDCWD, "/sys", true);
    if (system >= 0 && make_mount_read_only(system, true) == 0 && attach_mount(system, target) == 0) {
        if (fchdir(system) != 0) fail(CSANDBOX_STEP_SYS, "/sys");
        for (size_t index = 0; index < sizeof masked_sys / sizeof *masked_sys; index++)
            mask(system, masked_sys[index], -1, CSANDBOX_STEP_SYS);
    }
    if (system >= 0) close(system);
    close(target);
}

void make_tmp(int root) {
    // A root's own /tmp is kept, with what it holds: the overlay throws away what is written there as everywhere.
    if (mkdirat(root, "tmp", 01777) == 0) {
        if (fchmodat(root, "tmp", 01777, 0) != 0) fail(CSANDBOX_STEP_SCRATCH, "/tmp");
    } else if (errno != EEXIST) {
        fail(CSANDBOX_STEP_SCRATCH, "/tmp");
    }
}
