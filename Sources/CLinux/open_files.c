#define _GNU_SOURCE
#include "CLinux.h"

#include <sys/resource.h>

static rlim_t original = 0;

uint64_t clinux_raise_open_files(uint64_t wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return UINT64_MAX;
    if (original == 0) original = limit.rlim_cur;
    rlim_t possible = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (possible <= limit.rlim_cur) return limit.rlim_cur;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = possible;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? possible : before;
}

void clinux_restore_open_files(void) {
    struct rlimit limit;
    if (original == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = original;
    setrlimit(RLIMIT_NOFILE, &limit);
}
