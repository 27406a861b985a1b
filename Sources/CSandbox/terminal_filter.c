// The command shares the caller's terminal, and with the TIOCSTI or TIOCLINUX ioctl could type into the shell outside
// (CVE-2017-5226). A seccomp filter refuses these two and nothing else.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef TIOCLINUX
#define TIOCLINUX 0x541c
#endif

// The machine's own interface, and the 32-bit one that its kernel may also offer.
#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#define OTHER_IOCTL (0x40000000 | 514) /* x32 */
#define COMPAT AUDIT_ARCH_I386
#define COMPAT_IOCTL 54
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#define COMPAT AUDIT_ARCH_ARM
#define COMPAT_IOCTL 54
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE AUDIT_ARCH_RISCV64
#elif defined(__arm__)
#define NATIVE AUDIT_ARCH_ARM
#elif defined(__i386__)
#define NATIVE AUDIT_ARCH_I386
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define NATIVE AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define NATIVE AUDIT_ARCH_S390X
#endif

#ifndef OTHER_IOCTL
#define OTHER_IOCTL SYS_ioctl
#endif
#ifndef COMPAT
#define COMPAT 0
#define COMPAT_IOCTL 0
#endif

#ifdef NATIVE

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF_EQUAL(value, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), then, otherwise)
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
// The kernel looks at the low 32 bits of an ioctl's number only, and so must the filter.
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOAD_REQUEST BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + 4)
#else
#define LOAD_REQUEST LOAD(args[1])
#endif

void forbid_terminal_injection(void) {
    struct sock_filter instructions[] = {
        /*  0 */ LOAD(arch),
        /*  1 */ IF_EQUAL(NATIVE, 0, 3),
        /*  2 */ LOAD(nr),
        /*  3 */ IF_EQUAL(SYS_ioctl, 4, 0),
        /*  4 */ IF_EQUAL(OTHER_IOCTL, 3, 6),
        /*  5 */ IF_EQUAL(COMPAT, 0, 5),
        /*  6 */ LOAD(nr),
        /*  7 */ IF_EQUAL(COMPAT_IOCTL, 0, 3),
        /*  8 */ LOAD_REQUEST,
        /*  9 */ IF_EQUAL(TIOCSTI, 2, 0),
        /* 10 */ IF_EQUAL(TIOCLINUX, 1, 0),
        /* 11 */ RETURN(SECCOMP_RET_ALLOW),
        /* 12 */ RETURN(SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_fprog program = {.len = sizeof instructions / sizeof *instructions, .filter = instructions};
    // EINVAL: a kernel without seccomp filters.
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0 && errno != EINVAL)
        fail(CSANDBOX_STEP_PRIVILEGES, "seccomp filter");
}

#else

void forbid_terminal_injection(void) {}

#endif
