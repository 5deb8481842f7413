/* Loaded before the C library: a disk that is slow, full or read-only below one folder, as a file says at the moment.
 *
 * BAD_DISK names the file, whose first word is "slow" (with seconds for each sync), "full" or "read-only", or nothing;
 * what is struck is everything below the folder BAD_DISK_BELOW. Nothing is struck while one of them is not set.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int below(const char *path)
{
    const char *folder = getenv("BAD_DISK_BELOW");
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_struck(int fd)
{
    char link[64], path[4096];
    if (!getenv("BAD_DISK_BELOW")) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return below(path);
}

/* What the file says: 0, ENOSPC or EROFS; and how long a sync takes. */
static int weather(double *sync_s)
{
    char word[32] = "";
    const char *file = getenv("BAD_DISK");
    *sync_s = 0;
    int fd = file ? (int)syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    char text[64] = "";
    if (read(fd, text, sizeof text - 1) > 0) sscanf(text, "%31s %lf", word, sync_s);
    syscall(SYS_close, fd);
    return strcmp(word, "full") == 0 ? ENOSPC : strcmp(word, "read-only") == 0 ? EROFS : 0;
}

static int fails(int struck)
{
    double sync_s;
    int why = struck ? weather(&sync_s) : 0;
    if (why) errno = why;
    return why;
}

static void wait_for_disk(int fd)
{
    double sync_s;
    if (is_struck(fd)) {
        weather(&sync_s);
        usleep((useconds_t)(1e6 * sync_s));
    }
}

ssize_t write(int fd, const void *from, size_t size) { return fails(is_struck(fd)) ? -1 : REAL(write)(fd, from, size); }

ssize_t pwrite(int fd, const void *from, size_t size, off_t at)
{
    return fails(is_struck(fd)) ? -1 : REAL(pwrite)(fd, from, size, at);
}

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at)
{
    return fails(is_struck(fd)) ? -1 : REAL(pwrite64)(fd, from, size, at);
}

int fsync(int fd)
{
    wait_for_disk(fd);
    return fails(is_struck(fd)) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    wait_for_disk(fd);
    return fails(is_struck(fd)) ? -1 : REAL(fdatasync)(fd);
}

int mkdir(const char *path, mode_t mode) { return fails(below(path)) ? -1 : REAL(mkdir)(path, mode); }

int rename(const char *from, const char *to) { return fails(below(to)) ? -1 : REAL(rename)(from, to); }

static mode_t mode_of(int flags, va_list more) { return flags & O_CREAT ? va_arg(more, mode_t) : 0; }

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    return flags & (O_WRONLY | O_RDWR | O_CREAT) && fails(below(path)) ? -1 : REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    return flags & (O_WRONLY | O_RDWR | O_CREAT) && fails(below(path)) ? -1 : REAL(open64)(path, flags, mode);
}
