#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

const int clinux_o_tmpfile = O_TMPFILE;
const int clinux_at_empty_path = AT_EMPTY_PATH;
const long clinux_utime_omit = UTIME_OMIT;

int clinux_errno(void) { return errno; }

int clinux_openat(int directory, const char *path, int flags, uint32_t mode) {
    return openat(directory, path, flags, (mode_t)mode);
}

int clinux_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int clinux_statx(int directory, const char *path, int flags, struct clinux_status *result) {
    struct statx status;
    if (statx(directory, path, flags, STATX_BASIC_STATS, &status) != 0) return -1;
    *result = (struct clinux_status){
        .mode = status.stx_mode,
        .uid = status.stx_uid,
        .gid = status.stx_gid,
        .links = status.stx_nlink,
        .inode = status.stx_ino,
        .size = status.stx_size,
        .blocks = status.stx_blocks,
        .modified_seconds = status.stx_mtime.tv_sec,
        .modified_nanoseconds = status.stx_mtime.tv_nsec,
        .changed_seconds = status.stx_ctime.tv_sec,
        .changed_nanoseconds = status.stx_ctime.tv_nsec,
        .device = makedev(status.stx_dev_major, status.stx_dev_minor),
        .device_major = status.stx_rdev_major,
        .device_minor = status.stx_rdev_minor,
    };
    return 0;
}

int64_t clinux_file_system_magic(int descriptor) {
    struct statfs status;
    if (fstatfs(descriptor, &status) != 0) return -1;
    return (int64_t)(uint32_t)status.f_type;
}

int clinux_renameat2(int from, const char *old_path, int to, const char *new_path, unsigned int flags) {
    return renameat2(from, old_path, to, new_path, flags);
}

int clinux_ficlone(int destination, int source) { return ioctl(destination, FICLONE, source); }

int64_t clinux_copy_file_range(int from, int to, size_t count) {
    return copy_file_range(from, NULL, to, NULL, count, 0);
}

int clinux_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

void clinux_begin_writeback(int descriptor) { sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE); }

int clinux_spread_directories(int descriptor) {
    int flags = 0;
    if (ioctl(descriptor, FS_IOC_GETFLAGS, &flags) != 0) return -1;
    flags |= FS_TOPDIR_FL;
    return ioctl(descriptor, FS_IOC_SETFLAGS, &flags);
}

int clinux_syncfs(int descriptor) { return syncfs(descriptor); }

uint64_t clinux_makedev(uint32_t major_number, uint32_t minor_number) { return makedev(major_number, minor_number); }

const char *clinux_readdir(void *stream, uint8_t *kind) {
    errno = 0;
    struct dirent *entry = readdir(stream);
    if (entry == NULL) return NULL;
    *kind = entry->d_type;
    return entry->d_name;
}

int64_t clinux_getdents(int descriptor, void *buffer, size_t size) {
    return syscall(SYS_getdents64, descriptor, buffer, size);
}

void *clinux_fdopendir(int descriptor) { return fdopendir(descriptor); }

int clinux_closedir(void *stream) { return closedir(stream); }

int64_t clinux_flistxattr(int descriptor, void *list, size_t size) { return flistxattr(descriptor, list, size); }

int64_t clinux_fgetxattr(int descriptor, const char *name, void *value, size_t size) {
    return fgetxattr(descriptor, name, value, size);
}

int clinux_fsetxattr(int descriptor, const char *name, const void *value, size_t size) {
    return fsetxattr(descriptor, name, value, size, 0);
}


int clinux_begin_writing(int descriptor, uint64_t offset, uint64_t count) {
    return sync_file_range(descriptor, (off64_t)offset, (off64_t)count, SYNC_FILE_RANGE_WRITE);
}

int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int clinux_mount(const char *source, const char *target, const char *type, bool writable, const char *options) {
    return mount(source, target, type, MS_NODEV | (writable ? 0 : MS_RDONLY), options);
}

int clinux_unmount(const char *target) { return umount2(target, UMOUNT_NOFOLLOW); }

void clinux_return_blocks(int size) {
    mallopt(M_MMAP_THRESHOLD, size);
    // Either option ends that malloc raises both limits as it goes; a low one gives pages back, and takes them again, with each buffer.
    mallopt(M_TRIM_THRESHOLD, 4 * size);
}
