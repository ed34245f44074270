/* Write down, in order, what programs do to the files below one folder, so that bench.powercut can say what a disk would
 * hold after a power cut at any moment. Preloaded (LD_PRELOAD) into every process of a gateway:
 *
 *   POWERCUT_ROOT     the folder, as an absolute path without symbolic links
 *   POWERCUT_LOG      the file that gets the records; bench/powercut/writelog.py reads them
 *   POWERCUT_SYNC     "recorded" (a sync takes POWERCUT_SYNC_US and touches no disk), "real" (it also syncs),
 *                     "ignored" (a disk that lies: nothing is ever synced; the control)
 *
 * A record is one write(2) to a file opened with O_APPEND, which the kernel keeps whole and in order among processes.
 * Writes are recorded before they are made, syncs before and after, changes of folders after: what a process was told
 * is always in the log before it could tell anybody. What is written through a shared mapping is not seen, only that there
 * is one. No state is kept for a file descriptor: each call asks the kernel which file it is. Rare ways to change a file
 * (copy_file_range, sendfile, fallocate, links) are not known here: the files would differ from the log, which is looked at.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { WRITE = 1, TRUNCATE, SYNC_BEGINS, SYNC_ENDS, CREATE, UNLINK, RENAME, MAKE_FOLDER, REMOVE_FOLDER,
            FOLDER_SYNC_BEGINS, FOLDER_SYNC_ENDS, MAP, FAILED };

enum { LONG = 2 * PATH_MAX + 64 };

struct head { uint32_t size, kind, thread, path_length; uint64_t inode; int64_t offset; };

static char root[PATH_MAX], log_path[PATH_MAX];
static size_t root_length;
static int log_file = -1, sync_real, sync_ignored;
static long sync_us = 300;

static void open_log(void) {
    int made = syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    log_file = fcntl(made, F_DUPFD_CLOEXEC, 200); /* out of the way of programs that count their files from below */
    if (log_file >= 0) syscall(SYS_close, made); else log_file = made;
}

__attribute__((constructor)) static void start(void) {
    const char *folder = getenv("POWERCUT_ROOT"), *records = getenv("POWERCUT_LOG");
    const char *sync = getenv("POWERCUT_SYNC"), *us = getenv("POWERCUT_SYNC_US");
    if (!folder || !records) return;
    snprintf(root, sizeof root, "%s", folder);
    snprintf(log_path, sizeof log_path, "%s", records);
    sync_real = sync && !strcmp(sync, "real");
    sync_ignored = sync && !strcmp(sync, "ignored");
    if (us) sync_us = atol(us);
    open_log();
    root_length = strlen(root);
}

static void give_up(const char *why) {
    dprintf(2, "powercut: %s: %s\n", why, strerror(errno));
    abort();
}

/* Append one record; `parts` is the data of a write. */
static void record(enum kind kind, uint64_t inode, int64_t offset, const char *path, const struct iovec *parts, int count) {
    struct iovec all[2 + 64];
    int saved = errno;
    if (count > 64) { errno = E2BIG; give_up("too many parts in one write"); }
    struct head head = { .kind = kind, .thread = (uint32_t)syscall(SYS_gettid), .inode = inode, .offset = offset,
                         .path_length = path ? strlen(path) : 0 };
    size_t size = sizeof head + head.path_length;
    all[0] = (struct iovec){ &head, sizeof head };
    all[1] = (struct iovec){ (void *)path, head.path_length };
    for (int i = 0; i < count; i++) { all[2 + i] = parts[i]; size += parts[i].iov_len; }
    head.size = size;
    ssize_t done = syscall(SYS_writev, log_file, all, 2 + count);
    if (done < 0 && errno == EBADF) { open_log(); done = syscall(SYS_writev, log_file, all, 2 + count); }
    if (done != (ssize_t)size) give_up("cannot write the log");
    errno = saved;
}

static int below(const char *path) {
    return root_length && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

/* Whether `fd` is a file of type `type` below the root; its path and what the kernel says of it. */
static int ours(int fd, mode_t type, char *path, struct stat *found) {
    char link[40];
    int saved = errno, yes = 0;
    if (root_length && fd >= 0 && !fstat(fd, found) && (found->st_mode & S_IFMT) == type) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, path, PATH_MAX - 1);
        if (length > 0) { path[length] = 0; yes = below(path); }
    }
    errno = saved;
    return yes;
}

/* The path of an entry of a folder, the folder's own links resolved. 0 when it is not below the root. */
static int entry(int at, const char *given, char *path) {
    char raw[LONG], folder[PATH_MAX];
    int saved = errno, yes = 0;
    if (!root_length) return 0;
    if (given[0] == '/') snprintf(raw, sizeof raw, "%s", given);
    else if (at == AT_FDCWD) snprintf(raw, sizeof raw, "./%s", given);
    else snprintf(raw, sizeof raw, "/proc/self/fd/%d/%s", at, given);
    for (size_t end = strlen(raw); end > 1 && raw[end - 1] == '/'; end--) raw[end - 1] = 0;
    char *name = strrchr(raw, '/');
    *name = 0;
    if (realpath(raw[0] ? raw : "/", folder)) {
        snprintf(path, LONG, "%s/%.*s", strcmp(folder, "/") ? folder : "", NAME_MAX, name + 1);
        yes = below(path);
    }
    errno = saved;
    return yes;
}

static void record_entry(enum kind kind, const char *path, const char *second) {
    char both[2 * LONG];
    struct stat found = { 0 };
    int saved = errno;
    if (kind == CREATE || kind == MAKE_FOLDER || kind == RENAME) lstat(second ? second : path, &found);
    snprintf(both, sizeof both, "%s%s%s", path, second ? "\n" : "", second ? second : "");
    record(kind, found.st_ino, 0, both, NULL, 0);
    errno = saved;
}

/* --- writes */

static void before_write(int fd, const struct iovec *parts, int count, off_t offset) {
    char path[LONG];
    struct stat found;
    if (!ours(fd, S_IFREG, path, &found)) return;
    if (offset < 0) offset = fcntl(fd, F_GETFL) & O_APPEND ? found.st_size : lseek(fd, 0, SEEK_CUR);
    record(WRITE, found.st_ino, offset, NULL, parts, count);
}

/* The log has the whole write; a part of one, or none, the reader of the log is told of. */
static ssize_t after_write(int fd, ssize_t done, size_t wanted) {
    char path[LONG];
    struct stat found;
    if (done != (ssize_t)wanted && ours(fd, S_IFREG, path, &found)) record(FAILED, found.st_ino, done, path, NULL, 0);
    return done;
}

static size_t total(const struct iovec *parts, int count) {
    size_t sum = 0;
    for (int i = 0; i < count; i++) sum += parts[i].iov_len;
    return sum;
}

ssize_t write(int fd, const void *data, size_t size) {
    struct iovec part = { (void *)data, size };
    before_write(fd, &part, 1, -1);
    ssize_t done = syscall(SYS_write, fd, data, size);
    return after_write(fd, done, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    struct iovec part = { (void *)data, size };
    before_write(fd, &part, 1, offset);
    ssize_t done = syscall(SYS_pwrite64, fd, data, size, offset);
    return after_write(fd, done, size);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return pwrite(fd, data, size, offset); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    before_write(fd, parts, count, -1);
    ssize_t done = syscall(SYS_writev, fd, parts, count);
    return after_write(fd, done, total(parts, count));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    before_write(fd, parts, count, offset);
    ssize_t done = syscall(SYS_pwritev, fd, parts, count, (long)offset, 0L);
    return after_write(fd, done, total(parts, count));
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) { return pwritev(fd, parts, count, offset); }

static int truncated(int fd, off_t size) {
    char path[LONG];
    struct stat found;
    if (ours(fd, S_IFREG, path, &found)) record(TRUNCATE, found.st_ino, size, NULL, NULL, 0);
    return syscall(SYS_ftruncate, fd, size);
}
int ftruncate(int fd, off_t size) { return truncated(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncated(fd, size); }

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    char path[LONG];
    struct stat found;
    if ((flags & MAP_SHARED) && (protection & PROT_WRITE) && ours(fd, S_IFREG, path, &found))
        record(MAP, found.st_ino, 0, NULL, NULL, 0);
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}
void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset) {
    return mmap(address, length, protection, flags, fd, offset);
}

/* --- syncs */

static int synced(int fd, long call) {
    char path[LONG];
    struct stat found;
    int folder = ours(fd, S_IFDIR, path, &found);
    if (!folder && !ours(fd, S_IFREG, path, &found)) return syscall(call, fd);
    if (sync_ignored) return 0;
    const char *name = folder ? path : NULL;
    record(folder ? FOLDER_SYNC_BEGINS : SYNC_BEGINS, found.st_ino, 0, name, NULL, 0);
    int done = sync_real ? syscall(call, fd) : 0;
    struct timespec pause = { sync_us / 1000000, sync_us % 1000000 * 1000 };
    if (!sync_real) nanosleep(&pause, NULL);
    record(done ? FAILED : folder ? FOLDER_SYNC_ENDS : SYNC_ENDS, found.st_ino, 0, name, NULL, 0);
    return done;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

/* --- folders */

static int opened(int at, const char *given, int flags, mode_t mode) {
    char path[LONG];
    struct stat found;
    int was_there = !(flags & O_CREAT) || !fstatat(at, given, &found, 0);
    int fd = syscall(SYS_openat, at, given, flags, mode);
    if (fd < 0 || !root_length || !(flags & (O_CREAT | O_TRUNC)) || !ours(fd, S_IFREG, path, &found)) return fd;
    if (!was_there) record_entry(CREATE, path, NULL);
    else if (flags & O_TRUNC) record(TRUNCATE, found.st_ino, 0, NULL, NULL, 0);
    return fd;
}

static mode_t mode_of(int flags, va_list more) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; }

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list more; va_start(more, flags); mode_t mode = mode_of(flags, more); va_end(more); \
        return opened(AT_FDCWD, path, flags, mode); \
    }
#define OPEN_AT(name) \
    int name(int at, const char *path, int flags, ...) { \
        va_list more; va_start(more, flags); mode_t mode = mode_of(flags, more); va_end(more); \
        return opened(at, path, flags, mode); \
    }
OPEN(open) OPEN(open64) OPEN_AT(openat) OPEN_AT(openat64)
int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __openat_2(int at, const char *path, int flags) { return opened(at, path, flags, 0); }
int __openat64_2(int at, const char *path, int flags) { return opened(at, path, flags, 0); }

int unlinkat(int at, const char *given, int flags) {
    char path[LONG];
    int yes = entry(at, given, path), done = syscall(SYS_unlinkat, at, given, flags);
    if (yes && !done) record_entry(flags & AT_REMOVEDIR ? REMOVE_FOLDER : UNLINK, path, NULL);
    return done;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    char old[LONG], new[LONG];
    int yes = entry(from_at, from, old) & entry(to_at, to, new);
    int done = syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    if (yes && !done) record_entry(RENAME, old, new);
    return done;
}
int renameat(int from_at, const char *from, int to_at, const char *to) { return renameat2(from_at, from, to_at, to, 0); }
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int mkdirat(int at, const char *given, mode_t mode) {
    char path[LONG];
    int done = syscall(SYS_mkdirat, at, given, mode);
    if (!done && entry(at, given, path)) record_entry(MAKE_FOLDER, path, NULL);
    return done;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
