// The root the command sees: the given one below, read only, and a tmpfs above that takes every change.
//
// The tmpfs is mounted in the sandbox's own mount namespace and nowhere else, so it ends with the last process inside,
// however that ends, and leaves nothing on disk.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/// "lowerdir=/proc/self/fd/N": by descriptor, since a colon, comma or backslash in a path would be taken for syntax,
/// and since the path itself is covered by the tmpfs.
static void write_options(char *options, bool user_attributes, int lower) {
    char *end = stpcpy(options, "lowerdir=/proc/self/fd/");
    if (lower >= 10) *end++ = (char)('0' + lower / 10 % 10);
    *end++ = (char)('0' + lower % 10);
    end = stpcpy(end, ",upperdir=upper,workdir=work");
    if (user_attributes) stpcpy(end, ",userxattr");
}

/// The root directory's own mode and owner are those of the upper directory.
static void imitate(const struct stat *lower, const char *upper) {
    if (chown(upper, lower->st_uid, lower->st_gid) != 0 && errno != EINVAL && errno != EPERM)
        fail(CSANDBOX_STEP_SCRATCH, upper);
    if (chmod(upper, lower->st_mode & 07777) != 0) fail(CSANDBOX_STEP_SCRATCH, upper);
}

int mount_overlay(const struct csandbox_command *command) {
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) fail(CSANDBOX_STEP_PROPAGATION, "/");

    int lower = open(command->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat lower_status, scratch_status;
    if (lower < 0 || fstat(lower, &lower_status) != 0) fail(CSANDBOX_STEP_ROOT, command->root);

    // Over the root itself: the one directory that is sure to exist on every host.
    if (mount("layerfs", command->root, "tmpfs", MS_NOSUID | MS_NODEV, command->scratch_options) != 0)
        fail(CSANDBOX_STEP_SCRATCH, command->root);
    if (chdir(command->root) != 0 || stat(".", &scratch_status) != 0) fail(CSANDBOX_STEP_SCRATCH, command->root);
    if (scratch_status.st_dev == lower_status.st_dev) {
        // The root is this process's "/", which a mount cannot cover.
        errno = EBUSY;
        fail(CSANDBOX_STEP_SCRATCH, command->root);
    }
    if (mkdir("upper", 0755) != 0 || mkdir("work", 0755) != 0 || mkdir("root", 0755) != 0)
        fail(CSANDBOX_STEP_SCRATCH, command->root);
    imitate(&lower_status, "upper");

    char options[96];
    write_options(options, command->user_attributes, lower);
    if (mount("overlay", "root", "overlay", MS_NOSUID | MS_NODEV, options) != 0)
        fail(CSANDBOX_STEP_OVERLAY, command->root);
    close(lower);

    if (chdir("root") != 0) fail(CSANDBOX_STEP_OVERLAY, command->root);
    int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) fail(CSANDBOX_STEP_OVERLAY, command->root);
    return root;
}
