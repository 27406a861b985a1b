// From the fork inside to execve(2).
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOT_EXECUTABLE = 126, NOT_FOUND = 127 };

#ifndef SYS_setgroups32
#define SYS_setgroups32 SYS_setgroups
#define SYS_setresuid32 SYS_setresuid
#define SYS_setresgid32 SYS_setresgid
#endif

/// The system calls themselves: glibc's functions signal every thread of the process, and those it knows of are the
/// parent's, which do not exist here.
static void become_user(const struct csandbox_command *command) {
    // In a user namespace the only mapped ID is the wanted one, and setgroups is denied.
    if (command->user_namespace) return;
    // It may be denied likewise to the root of a namespace that somebody else made.
    if (syscall(SYS_setgroups32, 0, NULL) != 0 && !(errno == EPERM && command->user_attributes))
        fail(CSANDBOX_STEP_USER, "setgroups");
    if (syscall(SYS_setresgid32, command->gid, command->gid, command->gid) != 0) fail(CSANDBOX_STEP_USER, "setresgid");
    if (syscall(SYS_setresuid32, command->uid, command->uid, command->uid) != 0) fail(CSANDBOX_STEP_USER, "setresuid");
}

/// Makes what is missing of the working directory, as container engines do, while there is still the right to.
static void make_directory(const char *path) {
    char partial[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof partial) {
        errno = ENAMETOOLONG;
        fail(CSANDBOX_STEP_WORKING_DIRECTORY, path);
    }
    memcpy(partial, path, length + 1);
    for (size_t index = 1; index <= length; index++) {
        if (partial[index] != '/' && partial[index] != 0) continue;
        char separator = partial[index];
        partial[index] = 0;
        // Any other failure shows when the directory is entered.
        (void)mkdir(partial, 0755);
        partial[index] = separator;
    }
}

/// execve(2); returns when it is worth looking further, with errno.
static void execute(const struct csandbox_command *command, const char *path) {
    execve(path, (char *const *)command->arguments, (char *const *)command->environment);
    int error = errno;
    struct stat status;
    bool exists = stat(path, &status) == 0;
    if (error == ENOENT && exists) {
        errno = error;
        fail_with(NOT_FOUND, CSANDBOX_STEP_INTERPRETER, path);
    }
    errno = error == EACCES && exists && S_ISDIR(status.st_mode) ? EISDIR : error;
}

static void search(const struct csandbox_command *command, const char *name) {
    char path[PATH_MAX];
    size_t name_length = strlen(name);
    bool denied = false;
    for (const char *start = command->search_path;;) {
        const char *end = strchrnul(start, ':');
        size_t length = (size_t)(end - start);
        if (length + name_length + 2 <= sizeof path) {
            // An empty element is the current directory (execvp(3)).
            memcpy(path, start, length);
            if (length > 0) path[length++] = '/';
            memcpy(path + length, name, name_length + 1);
            execute(command, path);
            if (errno == EACCES) denied = true;
            else if (errno != ENOENT && errno != ENOTDIR && errno != EISDIR && errno != ELOOP && errno != ENAMETOOLONG)
                fail_with(NOT_EXECUTABLE, CSANDBOX_STEP_EXECUTE, path);
        }
        if (*end == 0) break;
        start = end + 1;
    }
    errno = denied ? EACCES : ENOENT;
    fail_with(denied ? NOT_EXECUTABLE : NOT_FOUND, CSANDBOX_STEP_EXECUTE, name);
}

void run_command(const struct csandbox_command *command) {
    const char *directory = command->working_directory;
    umask(0022);
    if (access(directory, F_OK) != 0) make_directory(directory);
    become_user(command);
    if (chdir(directory) != 0) fail(CSANDBOX_STEP_WORKING_DIRECTORY, directory);

    const char *name = command->arguments[0];
    if (*name != 0 && strchr(name, '/') == NULL) search(command, name);
    execute(command, name);
    fail_with(errno == ENOENT || errno == ENOTDIR ? NOT_FOUND : NOT_EXECUTABLE, CSANDBOX_STEP_EXECUTE, name);
}
