// The caller's side of signals and of the terminal. Signals are dispositions of a whole process, so one sandbox at a
// time may catch them.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGUSR1, SIGUSR2, SIGTSTP};
enum { COUNT = sizeof caught / sizeof *caught };

static struct sigaction previous[COUNT];
// Made once and never closed: a handler that another thread is still in must not write to a reused number.
static atomic_int write_end = -1;
static int read_end = -1;
static atomic_flag busy = ATOMIC_FLAG_INIT;

static void note(int number, siginfo_t *information, void *context) {
    (void)context;
    int error = errno;
    unsigned char record[2] = {(unsigned char)number, information->si_code == SI_KERNEL};
    // A full pipe holds thousands of signals that nobody has answered; one more changes nothing.
    (void)!write(atomic_load(&write_end), record, sizeof record);
    errno = error;
}

int32_t csandbox_catch_signals(enum csandbox_job job) {
    if (atomic_flag_test_and_set(&busy)) {
        errno = EBUSY;
        return -1;
    }
    if (read_end < 0) {
        int pair[2];
        if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) != 0) {
            atomic_flag_clear(&busy);
            return -1;
        }
        read_end = pair[0];
        atomic_store(&write_end, pair[1]);
    }
    unsigned char stale[64];
    while (read(read_end, stale, sizeof stale) > 0) {}
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigfillset(&action.sa_mask);
    for (int index = 0; index < COUNT; index++) {
        sigaction(caught[index], NULL, &previous[index]);
        if (previous[index].sa_handler == SIG_IGN) continue;
        if (job == CSANDBOX_JOB_SHARED && caught[index] == SIGTSTP) continue;
        sigaction(caught[index], &action, NULL);
    }
    return read_end;
}

void csandbox_release_signals(void) {
    for (int index = 0; index < COUNT; index++) sigaction(caught[index], &previous[index], NULL);
    atomic_flag_clear(&busy);
}

void csandbox_stop_self(int32_t number, bool group) {
    struct sigaction before, action = {.sa_handler = SIG_IGN};
    sigset_t only, mask;
    // Process 1 of the sandbox is in the group and must stay awake; it blocks SIGTSTP, and nothing blocks SIGSTOP.
    if (group && number == SIGSTOP) number = SIGTSTP;
    sigemptyset(&only);
    sigaddset(&only, number);
    if (group) {
        // The others of the job, a script that started us among them, so that the shell gets its terminal back.
        sigaction(number, &action, &before);
        kill(0, number);
        sigaction(number, &before, NULL);
    }
    action.sa_handler = SIG_DFL;
    if (number != SIGSTOP) sigaction(number, &action, &before);
    pthread_sigmask(SIG_UNBLOCK, &only, &mask);
    // To this thread, so that it stops here and goes on from here, whatever the other threads do.
    raise(number);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    if (number != SIGSTOP) sigaction(number, &before, NULL);
}

int csandbox_take_terminal(int32_t terminal) {
    sigset_t output, mask;
    sigemptyset(&output);
    sigaddset(&output, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &output, &mask);
    int result = tcsetpgrp(terminal, getpgrp());
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return result;
}
