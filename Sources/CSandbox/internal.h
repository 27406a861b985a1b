// What the files of this target share: the steps of the child in their order, and system calls without a wrapper.
#ifndef CSANDBOX_INTERNAL_H
#define CSANDBOX_INTERNAL_H

#include "CSandbox.h"

#include <stddef.h>
#include <sys/types.h>

/// The descriptor of the socket in the child.
#define CONTROL 3

/// Tells the parent that `step` failed on `detail` with the current errno, and exits with `status`.
_Noreturn void fail_with(int status, enum csandbox_step step, const char *detail);

/// As above, with the status of "layerfs itself failed".
_Noreturn void fail(enum csandbox_step step, const char *detail);

// init.c: process 1.
_Noreturn void run_init(const struct csandbox_command *command);

// identity.c
void map_identity(const struct csandbox_command *command, uint32_t outer_uid, uint32_t outer_gid);

// overlay.c: makes the overlay the current directory and returns a descriptor of it.
int mount_overlay(const struct csandbox_command *command);

// devices.c, kernel_filesystems.c: mount points below the new root.
void mount_devices(int root);
void mount_proc(int root);
void mount_sys(int root);
void make_tmp(int root);

// pivot.c: makes the current directory the root, and lets go of the old one.
void pivot(void);

// privileges.c, terminal_filter.c
void drop_privileges(void);
void forbid_terminal_injection(void);

// command.c: becomes the command.
_Noreturn void run_command(const struct csandbox_command *command);

// mount_calls.c
/// The descriptor of directory `name` in `directory`. Whatever else has the name, a symbolic link too, is replaced:
/// the place is an overlay's or tmpfs's, thrown away with the sandbox, and a link must not redirect a mount.
int open_mount_point(int directory, const char *name, mode_t mode, enum csandbox_step step);
/// A detached copy of the mount at `path` (open_tree(2)); -1 with errno.
int clone_mount(int directory, const char *path, bool recursive);
/// Attaches a detached mount to the file or directory `target` (move_mount(2)); -1 with errno.
int attach_mount(int mount, int target);
/// Makes a mount, and those below it when `recursive`, read-only without setuid and devices (mount_setattr(2)).
int make_mount_read_only(int mount, bool recursive);
/// fork(2), without the handlers and locks of glibc's: those may be held by a thread that does not exist here.
pid_t plain_fork(unsigned long namespaces);

#endif
