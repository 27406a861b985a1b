// The child: from clone(2) to process 1.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/// Keeps descriptors 0, 1, 2 and the socket, and nothing else: a descriptor of a directory outside would be a way out
/// of the sandbox (CVE-2024-21626).
static void settle_descriptors(int control) {
    if (control != CONTROL && dup3(control, CONTROL, O_CLOEXEC) < 0) _exit(125);
    if (syscall(SYS_close_range, CONTROL + 1, ~0u, 0) != 0) fail(CSANDBOX_STEP_STREAMS, "close_range");
    for (int stream = 0; stream <= 2; stream++) {
        struct stat status;
        if (fstat(stream, &status) == 0) {
            if (!S_ISDIR(status.st_mode)) continue;
            errno = EISDIR;
        }
        fail(CSANDBOX_STEP_STREAMS, stream == 0 ? "stdin" : stream == 1 ? "stdout" : "stderr");
    }
}

/// Ends with the parent. Between clone(2) and this the parent may already have died: then its end of the socket is
/// closed.
static void follow_parent(void) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) fail(CSANDBOX_STEP_PARENT, "pdeathsig");
    struct pollfd parent = {.fd = CONTROL, .events = 0};
    if (poll(&parent, 1, 0) != 0) _exit(125);
}

static _Noreturn void begin(const struct csandbox_command *command, int control, uint32_t uid, uint32_t gid) {
    settle_descriptors(control);
    follow_parent();
    if (command->user_namespace) map_identity(command, uid, gid);
    umask(0);
    int root = mount_overlay(command);
    make_tmp(root);
    mount_devices(root);
    mount_proc(root);
    mount_sys(root);
    if (fchdir(root) != 0) fail(CSANDBOX_STEP_PIVOT, "/");
    pivot();
    if (sethostname(command->hostname, strlen(command->hostname)) != 0)
        fail(CSANDBOX_STEP_HOSTNAME, command->hostname);
    // The root's and every mount's descriptor.
    if (syscall(SYS_close_range, CONTROL + 1, ~0u, 0) != 0) fail(CSANDBOX_STEP_STREAMS, "close_range");
    drop_privileges();
    follow_parent();
    run_init(command);
}

int csandbox_open_streams(void) {
    for (int stream = 0; stream <= 2; stream++) {
        if (fcntl(stream, F_GETFD) >= 0) continue;
        // The lowest free number is this one, but for another thread that opened something just now.
        int null = open("/dev/null", O_RDWR);
        if (null < 0) return -1;
        if (null > 2) close(null);
    }
    return 0;
}

int32_t csandbox_start(const struct csandbox_command *command, int32_t *control) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return -1;
    // The IDs as they are outside: inside they are unmapped until the maps are written.
    uint32_t uid = geteuid(), gid = getegid();
    unsigned long namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
    if (command->user_namespace) namespaces |= CLONE_NEWUSER;

    // No handler of the caller may run in the child, where its threads and locks are gone.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = plain_fork(namespaces);
    if (child == 0) {
        begin(command, pair[1], uid, gid);
    }
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(pair[1]);
    if (child < 0) {
        close(pair[0]);
        errno = error;
        return -1;
    }
    *control = pair[0];
    return child;
}
