// A minimal /dev (OCI runtime-spec, config-linux.md, "Default Devices"; the links are of "Dev symbolic links").
//
// The nodes are the host's, bound one by one, whoever runs this: mknod(2) is refused in a user namespace, and one way
// for all means that root sees what everybody sees.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name, *path;
} nodes[] = {
    {"null", "/dev/null"},     {"zero", "/dev/zero"},       {"full", "/dev/full"},
    {"random", "/dev/random"}, {"urandom", "/dev/urandom"}, {"tty", "/dev/tty"},
};

static const struct {
    const char *name, *target;
} links[] = {
    {"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},
};

/// Binds the host's device at `path` to a new file `name`; false with errno.
static bool bind_device(int devices, const char *name, const char *path) {
    struct stat status;
    int device = clone_mount(AT_FDCWD, path, false);
    if (device < 0) return false;
    if (fstatat(device, "", &status, AT_EMPTY_PATH) != 0) return false;
    if (!S_ISCHR(status.st_mode)) {
        // On a broken host this may be a plain file; writing "to /dev/null" must not write to it.
        errno = ENODEV;
        return false;
    }
    int file = openat(devices, name, O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0666);
    if (file < 0 || attach_mount(device, file) != 0) return false;
    close(file);
    close(device);
    return true;
}

/// /dev/console is the terminal the command was started on: it has no name in the new /dev/pts, and programs that look
/// for the name of their terminal (tty(1)) find this one. Without it they only lose the name, so failing is no error.
static void bind_console(int devices) {
    char path[128];
    struct stat by_descriptor, by_path;
    if (!isatty(STDIN_FILENO)) return;
    ssize_t length = readlink("/proc/self/fd/0", path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    if (fstat(STDIN_FILENO, &by_descriptor) != 0 || stat(path, &by_path) != 0) return;
    if (by_descriptor.st_rdev != by_path.st_rdev || !S_ISCHR(by_path.st_mode)) return;
    (void)bind_device(devices, "console", path);
}

static void mount_at(int directory, const char *name, const char *type, unsigned long flags, const char *options) {
    int target = open_mount_point(directory, name, 0755, CSANDBOX_STEP_DEVICES);
    if (fchdir(target) != 0) fail(CSANDBOX_STEP_DEVICES, name);
    if (mount(type, ".", type, flags, options) != 0) fail(CSANDBOX_STEP_DEVICES, name);
    close(target);
}

static void mount_terminals(int devices) {
    const unsigned long flags = MS_NOSUID | MS_NOEXEC;
    int target = open_mount_point(devices, "pts", 0755, CSANDBOX_STEP_DEVICES);
    if (fchdir(target) != 0) fail(CSANDBOX_STEP_DEVICES, "pts");
    // Group 5 is tty on every distribution, but in a user namespace it usually is not mapped: EINVAL.
    if (mount("devpts", ".", "devpts", flags, "newinstance,ptmxmode=0666,mode=0620,gid=5") != 0
        && (errno != EINVAL || mount("devpts", ".", "devpts", flags, "newinstance,ptmxmode=0666,mode=0620") != 0))
        fail(CSANDBOX_STEP_DEVICES, "pts");
    close(target);
}

void mount_devices(int root) {
    mount_at(root, "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k");
    int devices = openat(root, "dev", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (devices < 0) fail(CSANDBOX_STEP_DEVICES, "dev");

    for (size_t index = 0; index < sizeof nodes / sizeof *nodes; index++)
        if (!bind_device(devices, nodes[index].name, nodes[index].path))
            fail(CSANDBOX_STEP_DEVICES, nodes[index].path);
    for (size_t index = 0; index < sizeof links / sizeof *links; index++)
        if (symlinkat(links[index].target, devices, links[index].name) != 0)
            fail(CSANDBOX_STEP_DEVICES, links[index].name);
    bind_console(devices);
    mount_terminals(devices);
    mount_at(devices, "shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
    close(devices);
}
