// Process 1 of the sandbox: starts the command, reaps orphans, passes signals on, reports the command's end. When it
// exits, the kernel kills all that is left inside.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 4 };

/// The command's own process: its place in the terminal's job control first, then what the caller's handlers and mask
/// must not change.
static _Noreturn void begin_command(const struct csandbox_command *command) {
    if (command->job == CSANDBOX_JOB_DETACHED) {
        if (setsid() < 0) fail(CSANDBOX_STEP_INIT, "setsid");
    } else if (command->job == CSANDBOX_JOB_FOREGROUND) {
        // Signals are still blocked, SIGTTOU among them. Losing the terminal in this instant is no failure.
        if (setpgid(0, 0) != 0) fail(CSANDBOX_STEP_INIT, "setpgid");
        (void)tcsetpgrp(STDIN_FILENO, getpid());
    }
    close(CHILDREN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    run_command(command);
}

/// Handlers back to the default; what the caller ignores stays ignored (nohup), but for what layerfs ignores for itself.
static void reset_signals(void) {
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) != 0) continue;
        bool own = number == SIGPIPE || number == SIGXFSZ || number == SIGCHLD;
        if (action.sa_handler == SIG_IGN && !own) continue;
        action = (struct sigaction){.sa_handler = SIG_DFL};
        (void)sigaction(number, &action, NULL);
    }
}

/// Collects every child that ended, and leaves with the command.
static void reap(pid_t command) {
    int status;
    pid_t child;
    while ((child = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        if (child != command) continue;
        struct csandbox_message message = {.kind = CSANDBOX_STOPPED};
        if (WIFEXITED(status)) {
            message.kind = CSANDBOX_EXITED;
            message.number = WEXITSTATUS(status);
        } else if (WIFSIGNALED(status)) {
            message.kind = CSANDBOX_SIGNALLED;
            message.number = WTERMSIG(status);
        } else {
            message.number = WSTOPSIG(status);
        }
        if (csandbox_send(CONTROL, &message) != 0 || message.kind != CSANDBOX_STOPPED) _exit(0);
    }
}

static void obey(const struct csandbox_command *command, pid_t child) {
    struct csandbox_message message;
    // The parent is gone, and so must be all that it started.
    if (csandbox_receive(CONTROL, &message) != 1) _exit(125);
    if (message.kind == CSANDBOX_DELIVER) {
        // The kernel drops SIGTSTP for a session that no shell watches.
        bool dropped = command->job == CSANDBOX_JOB_DETACHED && message.number == SIGTSTP;
        (void)kill(child, dropped ? SIGSTOP : message.number);
    } else if (message.kind == CSANDBOX_RESUME) {
        if (message.number != 0) (void)tcsetpgrp(STDIN_FILENO, child);
        (void)kill(command->job == CSANDBOX_JOB_SHARED ? child : -child, SIGCONT);
    }
}

void run_init(const struct csandbox_command *command) {
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    reset_signals();
    int ended = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    if (ended < 0 || (ended != CHILDREN && dup3(ended, CHILDREN, 02000000) < 0)) fail(CSANDBOX_STEP_INIT, "signalfd");
    if (ended != CHILDREN) close(ended);

    pid_t child = plain_fork(0);
    if (child < 0) fail(CSANDBOX_STEP_INIT, "fork");
    if (child == 0) begin_command(command);
    // A person's Ctrl-C may come before the child has done this for itself.
    if (command->job == CSANDBOX_JOB_FOREGROUND) (void)setpgid(child, child);

    struct pollfd events[] = {{.fd = CHILDREN, .events = POLLIN}, {.fd = CONTROL, .events = POLLIN}};
    for (;;) {
        if (poll(events, 2, -1) < 0 && errno != EINTR) _exit(125);
        if (events[0].revents != 0) {
            struct signalfd_siginfo information;
            (void)!read(CHILDREN, &information, sizeof information);
            reap(child);
        }
        if (events[1].revents != 0) obey(command, child);
    }
}
