// Makes the n-th call of a process fail, or kills it there: a library for LD_PRELOAD, used by scripts/faults.
//
//   FAULT_AT=N        which call, counted over all threads and kinds of calls
//   FAULT=KILL        end the process by SIGKILL before the call takes effect (mutating calls are counted)
//   FAULT=EIO|ENOSPC|EDQUOT|EMFILE   the call returns -1 with this error (calls that can fail so are counted)
//   FAULT=FLUSH       fsync(2), fdatasync(2) or syncfs(2) returns EIO
//   FAULT_ALWAYS=1    so does every later one
//   FAULT_FIRED=PATH  a file that is made when it happens
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { MUTATES = 1, TAKES_SPACE = 2, READS = 4, OPENS = 8, FLUSHES = 16 };

static atomic_long count;
static long wanted = -1;
static int error, always, kinds;

__attribute__((constructor)) static void prepare(void) {
    const char *at = getenv("FAULT_AT"), *fault = getenv("FAULT");
    if (at == NULL || fault == NULL) return;
    always = getenv("FAULT_ALWAYS") != NULL;
    if (strcmp(fault, "KILL") == 0) kinds = MUTATES;
    else if (strcmp(fault, "FLUSH") == 0) error = EIO, kinds = FLUSHES;
    else if (strcmp(fault, "EIO") == 0) error = EIO, kinds = MUTATES | READS | OPENS;
    else if (strcmp(fault, "ENOSPC") == 0) error = ENOSPC, kinds = TAKES_SPACE;
    else if (strcmp(fault, "EDQUOT") == 0) error = EDQUOT, kinds = TAKES_SPACE;
    else if (strcmp(fault, "EMFILE") == 0) error = EMFILE, kinds = OPENS;
    else abort();
    wanted = atol(at);
}

// Whether this call is the one.
static int strikes(int kind) {
    if (wanted < 0 || !(kind & kinds)) return 0;
    long number = atomic_fetch_add(&count, 1) + 1;
    if (number != wanted && !(always && number > wanted)) return 0;
    const char *path = getenv("FAULT_FIRED");
    if (number == wanted && path != NULL) {
        long file = syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        if (file >= 0) syscall(SYS_close, file);
    }
    if (error == 0) kill(getpid(), SIGKILL);
    errno = error;
    return 1;
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define WRAP(result, name, kind, parameters, arguments) \
    result name parameters { \
        REAL(name); \
        if (strikes(kind)) return -1; \
        return real arguments; \
    }

// Threads wake each other by an eventfd, whose write(2) has no such errors. Its inode has no type; those of files, pipes and sockets do.
static int is_eventfd(int descriptor) {
    struct stat status;
    return syscall(SYS_fstat, descriptor, &status) == 0 && (status.st_mode & S_IFMT) == 0;
}

// Standard streams are left alone: messages and results are not what is tried here.
#define WRAP_STREAM(name, kind, parameters, arguments) \
    ssize_t name parameters { \
        REAL(name); \
        if (descriptor > 2 && !is_eventfd(descriptor) && strikes(kind)) return -1; \
        return real arguments; \
    }

#define OPEN(name, parameters, ...) \
    int name parameters { \
        REAL(name); \
        mode_t mode = 0; \
        if (flags & (O_CREAT | __O_TMPFILE)) { \
            va_list list; \
            va_start(list, flags); \
            mode = va_arg(list, mode_t); \
            va_end(list); \
        } \
        if (strikes(flags & O_CREAT ? OPENS | MUTATES | TAKES_SPACE : OPENS)) return -1; \
        return real(__VA_ARGS__); \
    }

OPEN(open, (const char *path, int flags, ...), path, flags, mode)
OPEN(open64, (const char *path, int flags, ...), path, flags, mode)
OPEN(openat, (int directory, const char *path, int flags, ...), directory, path, flags, mode)
OPEN(openat64, (int directory, const char *path, int flags, ...), directory, path, flags, mode)

WRAP_STREAM(write, MUTATES | TAKES_SPACE, (int descriptor, const void *bytes, size_t size), (descriptor, bytes, size))
WRAP_STREAM(pwrite, MUTATES | TAKES_SPACE, (int descriptor, const void *bytes, size_t size, off_t offset),
            (descriptor, bytes, size, offset))
WRAP_STREAM(pwrite64, MUTATES | TAKES_SPACE, (int descriptor, const void *bytes, size_t size, off64_t offset),
            (descriptor, bytes, size, offset))
WRAP_STREAM(read, READS, (int descriptor, void *bytes, size_t size), (descriptor, bytes, size))
WRAP_STREAM(pread, READS, (int descriptor, void *bytes, size_t size, off_t offset), (descriptor, bytes, size, offset))
WRAP_STREAM(pread64, READS, (int descriptor, void *bytes, size_t size, off64_t offset), (descriptor, bytes, size, offset))

WRAP(ssize_t, copy_file_range, MUTATES | TAKES_SPACE,
     (int from, off64_t *a, int to, off64_t *b, size_t size, unsigned flags), (from, a, to, b, size, flags))
WRAP(int, ftruncate, MUTATES | TAKES_SPACE, (int descriptor, off_t size), (descriptor, size))
WRAP(int, ftruncate64, MUTATES | TAKES_SPACE, (int descriptor, off64_t size), (descriptor, size))
WRAP(int, fsync, MUTATES | TAKES_SPACE | FLUSHES, (int descriptor), (descriptor))
WRAP(int, fdatasync, MUTATES | TAKES_SPACE | FLUSHES, (int descriptor), (descriptor))
WRAP(int, syncfs, MUTATES | TAKES_SPACE | FLUSHES, (int descriptor), (descriptor))
WRAP(int, rename, MUTATES | TAKES_SPACE, (const char *from, const char *to), (from, to))
WRAP(int, renameat, MUTATES | TAKES_SPACE, (int a, const char *from, int b, const char *to), (a, from, b, to))
WRAP(int, renameat2, MUTATES | TAKES_SPACE, (int a, const char *from, int b, const char *to, unsigned flags),
     (a, from, b, to, flags))
WRAP(int, link, MUTATES | TAKES_SPACE, (const char *from, const char *to), (from, to))
WRAP(int, linkat, MUTATES | TAKES_SPACE, (int a, const char *from, int b, const char *to, int flags),
     (a, from, b, to, flags))
WRAP(int, symlinkat, MUTATES | TAKES_SPACE, (const char *target, int directory, const char *name),
     (target, directory, name))
WRAP(int, mkdir, MUTATES | TAKES_SPACE, (const char *path, mode_t mode), (path, mode))
WRAP(int, mkdirat, MUTATES | TAKES_SPACE, (int directory, const char *path, mode_t mode), (directory, path, mode))
WRAP(int, mknodat, MUTATES | TAKES_SPACE, (int directory, const char *path, mode_t mode, dev_t device),
     (directory, path, mode, device))
WRAP(int, unlink, MUTATES, (const char *path), (path))
WRAP(int, unlinkat, MUTATES, (int directory, const char *path, int flags), (directory, path, flags))
WRAP(int, fchmod, MUTATES, (int descriptor, mode_t mode), (descriptor, mode))
WRAP(int, fchmodat, MUTATES, (int directory, const char *path, mode_t mode, int flags), (directory, path, mode, flags))
WRAP(int, fchown, MUTATES, (int descriptor, uid_t user, gid_t group), (descriptor, user, group))
WRAP(int, fchownat, MUTATES, (int directory, const char *path, uid_t user, gid_t group, int flags),
     (directory, path, user, group, flags))
WRAP(int, utimensat, MUTATES, (int directory, const char *path, const struct timespec times[2], int flags),
     (directory, path, times, flags))
WRAP(int, futimens, MUTATES, (int descriptor, const struct timespec times[2]), (descriptor, times))
WRAP(int, statx, READS,
     (int directory, const char *restrict path, int flags, unsigned mask, struct statx *restrict result),
     (directory, path, flags, mask, result))
// Locks are lost with the process: killed before or after taking one must be the same.
int flock(int descriptor, int operation) {
    REAL(flock);
    if (error == 0 && strikes(MUTATES)) return -1;
    return real(descriptor, operation);
}

struct dirent *readdir(DIR *stream) {
    REAL(readdir);
    return strikes(READS) ? NULL : real(stream);
}
struct dirent64 *readdir64(DIR *stream) {
    REAL(readdir64);
    return strikes(READS) ? NULL : real(stream);
}
