// user_namespaces(7), "User and group ID mappings: uid_map and gid_map".
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void write_file(const char *path, const char *text, size_t length, bool required) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) {
        if (!required && errno == ENOENT) return;
        fail(CSANDBOX_STEP_IDENTITY, path);
    }
    // The kernel takes a map in one write or not at all.
    if (write(file, text, length) != (ssize_t)length) fail(CSANDBOX_STEP_IDENTITY, path);
    close(file);
}

static size_t append_number(char *text, size_t length, uint32_t number) {
    char digits[10];
    size_t count = 0;
    do digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0) text[length++] = digits[--count];
    return length;
}

/// `inner outer 1`: one ID, the only one that an unprivileged process may map.
static void write_map(const char *path, uint32_t inner, uint32_t outer) {
    char line[32];
    size_t length = append_number(line, 0, inner);
    line[length++] = ' ';
    length = append_number(line, length, outer);
    memcpy(line + length, " 1\n", 3);
    write_file(path, line, length + 3, true);
}

void map_identity(const struct csandbox_command *command, uint32_t outer_uid, uint32_t outer_gid) {
    // Without this an unprivileged process could drop a group that denies it access, and may not write gid_map.
    write_file("/proc/self/setgroups", "deny", 4, false);
    write_map("/proc/self/uid_map", command->uid, outer_uid);
    write_map("/proc/self/gid_map", command->gid, outer_gid);
}
