#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

// All that a signal handler may touch.
static volatile sig_atomic_t interrupting_signal = 0;

static void note_interruption(int number) { interrupting_signal = number; }

void clinux_note_interruptions(void) {
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction action, old;
        if (sigaction(numbers[i], NULL, &old) != 0 || old.sa_handler == SIG_IGN) continue;
        memset(&action, 0, sizeof action);
        action.sa_handler = note_interruption;
        // The second signal of a kind ends the process, in case it hangs. System calls go on: whoever works asks between them.
        action.sa_flags = SA_RESETHAND | SA_RESTART;
        sigaction(numbers[i], &action, NULL);
    }
}

int clinux_interrupting_signal(void) { return (int)interrupting_signal; }

int clinux_open_standard_streams(void) {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
        // The lowest free number is this one. Results that nobody takes are a failure (EBADF); messages are not.
        if (open("/dev/null", descriptor == STDOUT_FILENO ? O_RDONLY : O_RDWR) < 0) return -1;
    }
    return 0;
}
