/* Loaded before the C library: the n-th call of one kind on a file below a folder fails, once or for a while.
 *
 * FAILING_BELOW names the folder. Calls are counted by kind; `fail_nth` says which one is to fail and with what.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum { WRITE, PWRITE, FSYNC, FTRUNCATE, KINDS };

static long seen[KINDS], struck, first, last;
static int struck_kind = -1, struck_with;

void fail_nth(int kind, long nth, long times, int with)
{
    memset(seen, 0, sizeof seen);
    struck = 0;
    struck_kind = kind;
    first = nth;
    last = nth + times;
    struck_with = with;
}

long calls_seen(int kind) { return seen[kind]; }

long calls_failed(void) { return struck; }

static int is_below(int fd)
{
    char link[64], path[4096];
    const char *folder = getenv("FAILING_BELOW");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = folder ? readlink(link, path, sizeof path - 1) : 0;
    if (length <= 0) return 0;
    path[length] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

static int fails(int fd, int kind)
{
    if (!is_below(fd)) return 0;
    long number = seen[kind]++;
    if (kind != struck_kind || number < first || number >= last) return 0;
    struck++;
    errno = struck_with;
    return 1;
}

ssize_t write(int fd, const void *from, size_t size)
{
    return fails(fd, WRITE) ? -1 : REAL(write)(fd, from, size);
}

ssize_t pwrite(int fd, const void *from, size_t size, off_t at)
{
    return fails(fd, PWRITE) ? -1 : REAL(pwrite)(fd, from, size, at);
}

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at)
{
    return fails(fd, PWRITE) ? -1 : REAL(pwrite64)(fd, from, size, at);
}

int fsync(int fd) { return fails(fd, FSYNC) ? -1 : REAL(fsync)(fd); }

int fdatasync(int fd) { return fails(fd, FSYNC) ? -1 : REAL(fdatasync)(fd); }

int ftruncate(int fd, off_t size) { return fails(fd, FTRUNCATE) ? -1 : REAL(ftruncate)(fd, size); }

int ftruncate64(int fd, off64_t size) { return fails(fd, FTRUNCATE) ? -1 : REAL(ftruncate64)(fd, size); }
