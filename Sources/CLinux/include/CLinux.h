// Calls of the Linux kernel and of glibc that Swift's Glibc module cannot express: variadic functions, GNU extensions,
// system calls without a wrapper, and ioctls. Thin and stateless; every function returns -1 and sets errno as the call
// it is named after does. System headers stay out of this one, so that it means the same in every importing module.
#ifndef CLINUX_H
#define CLINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// errno is a macro.
int clinux_errno(void);

/// open(2), openat(2) with the variadic mode.
int clinux_openat(int directory, const char *path, int flags, uint32_t mode);

/// openat2(2), for which glibc has no wrapper. ENOSYS before Linux 5.6.
int clinux_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/// What layerfs uses of statx(2).
struct clinux_status {
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    uint32_t links;
    uint64_t inode;
    uint64_t size;
    uint64_t blocks;
    int64_t modified_seconds;
    int64_t changed_seconds;
    uint32_t modified_nanoseconds;
    uint32_t changed_nanoseconds;
    uint64_t device;
    uint32_t device_major, device_minor;
};

/// statx(2) of everything that stat(2) knows.
int clinux_statx(int directory, const char *path, int flags, struct clinux_status *result);

/// The magic number of the file system that holds an open file (statfs(2)); -1 on failure.
int64_t clinux_file_system_magic(int descriptor);

/// renameat2(2).
int clinux_renameat2(int from, const char *old_path, int to, const char *new_path, unsigned int flags);

/// The FICLONE ioctl of ioctl_ficlone(2): all extents of `source` become shared with `destination`.
int clinux_ficlone(int destination, int source);

/// copy_file_range(2) at the offsets of both descriptors.
int64_t clinux_copy_file_range(int from, int to, size_t count);

/// memfd_create(2), closed on exec.
int clinux_memory_file(const char *name);

/// sync_file_range(2), SYNC_FILE_RANGE_WRITE of the whole file: a hint.
void clinux_begin_writeback(int descriptor);

/// FS_IOC_SETFLAGS with FS_TOPDIR_FL beside the flags that the directory has: a hint.
int clinux_spread_directories(int descriptor);

/// syncfs(2): the whole file system that holds an open file.
int clinux_syncfs(int descriptor);

/// sync_file_range(2), SYNC_FILE_RANGE_WRITE: begins to write a range to the disk, and does not wait.
int clinux_begin_writing(int descriptor, uint64_t offset, uint64_t count);

/// pipe2(2) with O_CLOEXEC: the end to read from, then the end to write to.
int clinux_pipe(int ends[2]);

/// flistxattr(2), fgetxattr(2) and fsetxattr(2); <sys/xattr.h> is not in Swift's Glibc module.
int64_t clinux_flistxattr(int descriptor, void *list, size_t size);
int64_t clinux_fgetxattr(int descriptor, const char *name, void *value, size_t size);
int clinux_fsetxattr(int descriptor, const char *name, const void *value, size_t size);

/// mount(2) with MS_NODEV, and MS_RDONLY unless `writable`.
int clinux_mount(const char *source, const char *target, const char *type, bool writable, const char *options);

/// umount2(2) with UMOUNT_NOFOLLOW.
int clinux_unmount(const char *target);

/// makedev(3), a macro.
uint64_t clinux_makedev(uint32_t major, uint32_t minor);

/// The name of the next directory entry of a `DIR *`, `.` and `..` included; null at the end or, with errno set, on
/// failure. `kind` receives d_type (readdir(3)). The name is valid until the next call.
const char *clinux_readdir(void *stream, uint8_t *kind);

/// getdents64(2): the next entries of a directory, 0 at its end.
int64_t clinux_getdents(int descriptor, void *buffer, size_t size);

/// fdopendir(3) and closedir(3), with an untyped stream. fdopendir takes over the descriptor.
void *clinux_fdopendir(int descriptor);
int clinux_closedir(void *stream);

/// From now on the first SIGINT, SIGTERM or SIGHUP (unless ignored) is noted instead of ending the process.
void clinux_note_interruptions(void);

/// The signal that was noted; 0 for none.
int clinux_interrupting_signal(void);

/// Opens /dev/null for those of the descriptors 0, 1 and 2 that are closed, so that no file of ours gets their number.
int clinux_open_standard_streams(void);

/// Raises the soft limit of open files (setrlimit(2)) to `wanted`, or as far as the hard one lets; gives the limit that there is now.
uint64_t clinux_raise_open_files(uint64_t wanted);

/// Sets it back to what it was before the first of these calls.
void clinux_restore_open_files(void);

/// From now on blocks of `size` bytes and more are pages of their own, which are the kernel's again when they are freed
/// (mallopt(3), M_MMAP_THRESHOLD). Otherwise malloc raises that limit to 32 MiB as such blocks are freed, and what it keeps lies
/// in pieces between others that nothing fits in.
void clinux_return_blocks(int size);

/// Values of macros with types that Swift cannot import.
extern const int clinux_o_tmpfile;
extern const int clinux_at_empty_path;
extern const long clinux_utime_omit;

#endif
