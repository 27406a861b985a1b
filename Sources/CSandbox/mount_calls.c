// The kernel's mount interface by descriptor, for which older C libraries have no wrappers. It is used instead of paths
// wherever the root's own content, which may be hostile, could turn a path elsewhere.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// From linux/mount.h, which cannot be included beside sys/mount.h with every version of glibc.
#define TREE_CLONE 1
#define TREE_RECURSIVE 0x8000
#define MOVE_FROM_EMPTY_PATH 0x00000004
#define MOVE_TO_EMPTY_PATH 0x00000040
#define ATTRIBUTE_READ_ONLY 0x00000001
#define ATTRIBUTE_NO_SETUID 0x00000002
#define ATTRIBUTE_NO_DEVICES 0x00000004
#define ATTRIBUTE_NO_EXECUTION 0x00000008

#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_move_mount
#define SYS_move_mount 429
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

int open_mount_point(int directory, const char *name, mode_t mode, enum csandbox_step step) {
    for (int attempt = 0; attempt < 2; attempt++) {
        int found = openat(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (found >= 0) return found;
        if (errno == ENOTDIR || errno == ELOOP) {
            if (unlinkat(directory, name, 0) != 0) fail(step, name);
        } else if (errno != ENOENT) {
            fail(step, name);
        }
        if (mkdirat(directory, name, mode) != 0) fail(step, name);
    }
    fail(step, name);
}

int clone_mount(int directory, const char *path, bool recursive) {
    unsigned flags = TREE_CLONE | O_CLOEXEC | (recursive ? TREE_RECURSIVE : 0);
    return (int)syscall(SYS_open_tree, directory, path, flags);
}

int attach_mount(int mount, int target) {
    return (int)syscall(SYS_move_mount, mount, "", target, "", MOVE_FROM_EMPTY_PATH | MOVE_TO_EMPTY_PATH);
}

int make_mount_read_only(int mount, bool recursive) {
    struct {
        uint64_t set, clear, propagation, user_namespace;
    } attributes = {.set = ATTRIBUTE_READ_ONLY | ATTRIBUTE_NO_SETUID | ATTRIBUTE_NO_DEVICES | ATTRIBUTE_NO_EXECUTION};
    unsigned flags = AT_EMPTY_PATH | (recursive ? TREE_RECURSIVE : 0);
    return (int)syscall(SYS_mount_setattr, mount, "", flags, &attributes, sizeof attributes);
}

pid_t plain_fork(unsigned long namespaces) {
    unsigned long flags = namespaces | SIGCHLD;
#if defined(__s390__) || defined(__CRIS__)
    return (pid_t)syscall(SYS_clone, NULL, flags, NULL, NULL, NULL);
#else
    return (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
#endif
}
