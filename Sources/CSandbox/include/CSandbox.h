// The part of a sandbox that runs between clone(2) and execve(2).
//
// A process cloned from a multi-threaded one may only do what is async-signal-safe: another thread may have held any
// lock, malloc's included, at that instant. So this part is C, allocates nothing, takes everything it needs from one
// structure prepared by its parent, and tells what happened over a socket. System headers stay out of this header, so
// that it means the same in every importing module.
#ifndef CSANDBOX_H
#define CSANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/// How the command shares the caller's terminal.
enum csandbox_job {
    /// A process group of its own, given the terminal: an interactive command.
    CSANDBOX_JOB_FOREGROUND,
    /// The caller's process group: a part of a pipeline on a terminal.
    CSANDBOX_JOB_SHARED,
    /// A session of its own: there is no terminal.
    CSANDBOX_JOB_DETACHED,
};

/// All that the child needs. Every pointer must stay valid during csandbox_start, which copies the address space.
struct csandbox_command {
    /// The directory that becomes the root; only ever read.
    const char *root;
    const char *hostname;
    const char *working_directory;
    const char *const *arguments;
    const char *const *environment;
    /// Where a command without a slash is looked for, inside the new root, separated by colons.
    const char *search_path;
    /// Mount options of the scratch tmpfs (tmpfs(5)): `mode=0755,size=...`.
    const char *scratch_options;
    /// Whether to create a user namespace, in which `uid` and `gid` stand for the caller's effective IDs.
    bool user_namespace;
    /// Whether overlay's own attributes must be in the `user.` namespace: true below the initial user namespace.
    bool user_attributes;
    uint32_t uid, gid;
    enum csandbox_job job;
};

/// Where the child was when something failed.
enum csandbox_step {
    CSANDBOX_STEP_START,
    CSANDBOX_STEP_STREAMS,
    CSANDBOX_STEP_PARENT,
    CSANDBOX_STEP_IDENTITY,
    CSANDBOX_STEP_PROPAGATION,
    CSANDBOX_STEP_ROOT,
    CSANDBOX_STEP_SCRATCH,
    CSANDBOX_STEP_OVERLAY,
    CSANDBOX_STEP_DEVICES,
    CSANDBOX_STEP_PROC,
    CSANDBOX_STEP_SYS,
    CSANDBOX_STEP_PIVOT,
    CSANDBOX_STEP_HOSTNAME,
    CSANDBOX_STEP_PRIVILEGES,
    CSANDBOX_STEP_INIT,
    CSANDBOX_STEP_USER,
    CSANDBOX_STEP_WORKING_DIRECTORY,
    /// execve(2) of the command failed.
    CSANDBOX_STEP_EXECUTE,
    /// execve(2) said ENOENT of a file that exists: what is missing is its interpreter or loader.
    CSANDBOX_STEP_INTERPRETER,
};

enum csandbox_message_kind {
    /// To the parent: `step`, `number` is errno, `detail` what it was done to. Nothing more follows that matters.
    CSANDBOX_FAILED,
    /// To the parent: the command exited with status `number`.
    CSANDBOX_EXITED,
    /// To the parent: signal `number` ended the command.
    CSANDBOX_SIGNALLED,
    /// To the parent: signal `number` stopped the command.
    CSANDBOX_STOPPED,
    /// From the parent: give the command signal `number`.
    CSANDBOX_DELIVER,
    /// From the parent: continue the stopped command, with the terminal when `number` is not 0.
    CSANDBOX_RESUME,
};

/// What goes over the socket, one message a packet.
struct csandbox_message {
    int32_t kind;
    int32_t step;
    int32_t number;
    /// A path, cut to fit, ended by NUL.
    char detail[116];
};

/// Opens /dev/null as each standard stream that is closed, so that nothing opened later becomes one, and with it the
/// command's. -1 with errno when that fails.
int csandbox_open_streams(void);

/// Starts the sandbox: a child in namespaces of its own, of which it is PID 1, and in it the command.
///
/// Returns the child's process ID, and in `control` the parent's end of the socket (close-on-exec); -1 with errno when
/// the socket or the child could not be made. The child dies with the *thread* that calls this (PR_SET_PDEATHSIG).
int32_t csandbox_start(const struct csandbox_command *command, int32_t *control);

/// The next message: 1, or 0 when the child is gone, or -1 with errno.
int csandbox_receive(int32_t control, struct csandbox_message *message);

/// Sends a message: 0, or -1 with errno.
int csandbox_send(int32_t control, const struct csandbox_message *message);

/// Whether this process may create namespaces without a user namespace: effective user 0 with CAP_SYS_ADMIN.
bool csandbox_is_privileged(void);

/// Catches the signals that a person or a supervisor sends to a command, for the whole process, and writes each as two
/// bytes to a pipe: the number, and 1 when the kernel itself sent it (a terminal's key), else 0.
///
/// A signal that is ignored stays ignored (nohup(1)). In a shared job the stop signals keep their default action.
/// Returns the pipe's read end, or -1 with errno: EBUSY when they are already caught.
int32_t csandbox_catch_signals(enum csandbox_job job);

/// Undoes csandbox_catch_signals. The pipe stays open for the next time.
void csandbox_release_signals(void);

/// Stops the calling process by `signal`, as the command was stopped, with its process group when `group` is set.
/// Returns when it is continued.
void csandbox_stop_self(int32_t signal, bool group);

/// tcsetpgrp(3) of the terminal `terminal` to the caller's process group, without being stopped for it.
int csandbox_take_terminal(int32_t terminal);

#endif
