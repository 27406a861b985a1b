#define _GNU_SOURCE
#include "internal.h"

#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

void pivot(void) {
    // pivot_root(2), "pivot_root(".", ".")": the old root is stacked on the new one, and the detach uncovers it.
    if (syscall(SYS_pivot_root, ".", ".") != 0) fail(CSANDBOX_STEP_PIVOT, "/");
    if (umount2(".", MNT_DETACH) != 0) fail(CSANDBOX_STEP_PIVOT, "/");
    if (chdir("/") != 0) fail(CSANDBOX_STEP_PIVOT, "/");
}
