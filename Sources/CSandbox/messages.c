#include "internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int csandbox_send(int32_t control, const struct csandbox_message *message) {
    ssize_t sent;
    do sent = send(control, message, sizeof *message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

int csandbox_receive(int32_t control, struct csandbox_message *message) {
    ssize_t received;
    do received = recv(control, message, sizeof *message, 0);
    while (received < 0 && errno == EINTR);
    if (received < 0) return errno == ECONNRESET ? 0 : -1;
    if (received != (ssize_t)sizeof *message) return 0;
    message->detail[sizeof message->detail - 1] = 0;
    return 1;
}

void fail_with(int status, enum csandbox_step step, const char *detail) {
    struct csandbox_message message = {.kind = CSANDBOX_FAILED, .step = (int32_t)step, .number = errno};
    for (size_t index = 0; index < sizeof message.detail - 1 && detail[index] != 0; index++)
        message.detail[index] = detail[index];
    (void)csandbox_send(CONTROL, &message);
    _exit(status);
}

void fail(enum csandbox_step step, const char *detail) { fail_with(125, step, detail); }
