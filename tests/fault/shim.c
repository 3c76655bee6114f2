/*
 * Makes system calls and allocations of a running server fail: preloaded (LD_PRELOAD), told by a file that
 * both sides map, named by STRONGROOM_FAULTS.  shim.py is the other side, and says what each number means.
 */
#undef _FILE_OFFSET_BITS /* both names of each call are wanted */
#undef _FORTIFY_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define PATH_LEN 4096
#define SECOND 1000000000

enum call { WRITE, SYNC, RENAME, TRUNCATE, RESERVE, OPEN, READ };

/* Of the calls of a class, the one with the number ${first} fails, and the ${times} - 1 behind it. */
struct plan {
	_Atomic int64_t first, times, seen, failed;
};

struct control {
	struct plan memory, files;
	_Atomic int64_t calls; /* the files' class: a bit each */
	_Atomic int64_t code;  /* errno; 0: a write that is short says so by its length; < 0: die */
	_Atomic int64_t partly; /* bytes that a failing write has written before */
	_Atomic int64_t clock;  /* nanoseconds that the wall clock is ahead */
	char path[256];         /* the files' class: what the path contains */
	struct plan held;       /* syncs of other files, that are not done before it is off */
	char held_path[256];
};

static struct control *control;

__attribute__((constructor)) static void
attach(void)
{
	const char *path = getenv("STRONGROOM_FAULTS");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *map = MAP_FAILED;

	if (fd >= 0)
		map = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		(void)fputs("STRONGROOM_FAULTS names no file of faults\n", stderr);
		abort();
	}
	(void)close(fd);
	control = map;
}

static bool
due(struct plan *plan)
{
	int64_t number = atomic_fetch_add(&plan->seen, 1) + 1;
	int64_t first = atomic_load(&plan->first);

	if (first == 0 || number < first || number - first >= atomic_load(&plan->times))
		return false;
	atomic_fetch_add(&plan->failed, 1);
	return true;
}

/* A function behind this library, looked up once: NEXT(int, fsync, int)(fd). */
#define NEXT(type, name, ...) (__extension__(type(*)(__VA_ARGS__)) next(&(static_##name), #name))
static void *
next(void **known, const char *name)
{
	if (*known == NULL)
		*known = dlsym(RTLD_NEXT, name);
	return *known;
}

/* Memory */

static void *static_malloc, *static_calloc, *static_realloc, *static_pthread_getattr_np;

/* A sanitizer asks so when a thread starts, and can't do without the answer. */
static _Thread_local bool exempt __attribute__((tls_model("initial-exec")));

EXPORT int
pthread_getattr_np(pthread_t thread, pthread_attr_t *attr)
{
	int done;

	exempt = true;
	done = NEXT(int, pthread_getattr_np, pthread_t, pthread_attr_t *)(thread, attr);
	exempt = false;
	return done;
}

static bool
no_memory(void)
{
	if (control == NULL || exempt || !due(&control->memory))
		return false;
	errno = ENOMEM;
	return true;
}

EXPORT void *
malloc(size_t size)
{
	return no_memory() ? NULL : NEXT(void *, malloc, size_t)(size);
}

EXPORT void *
calloc(size_t count, size_t size)
{
	return no_memory() ? NULL : NEXT(void *, calloc, size_t, size_t)(count, size);
}

EXPORT void *
realloc(void *old, size_t size)
{
	return no_memory() ? NULL : NEXT(void *, realloc, void *, size_t)(old, size);
}

/* Files */

static void *static_write, *static_pwrite, *static_fsync, *static_fdatasync, *static_rename,
    *static_renameat, *static_renameat2, *static_ftruncate, *static_fallocate, *static_open,
    *static_openat, *static_read, *static_pread, *static_mkostemp, *static_mkdtemp, *static_mkdir,
    *static_mkdirat, *static_symlinkat;

/* As a kill -9 or a machine that loses its power would have it. */
static int
error_of(int64_t code)
{
	if (code < 0)
		(void)kill(getpid(), SIGKILL);
	return code == 0 ? EIO : (int)code;
}

/* A write may write some of it before. */
static bool
path_fails(enum call call, const char *path)
{
	if (control == NULL || (atomic_load(&control->calls) >> call & 1) == 0 ||
	    strstr(path, control->path) == NULL || !due(&control->files))
		return false;
	if (call != WRITE)
		errno = error_of(atomic_load(&control->code));
	return true;
}

/* Where an open file is; 0: it has no path, as a socket. */
static size_t
path_of(int fd, char path[PATH_LEN])
{
	char link[64];
	int before = errno;
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, PATH_LEN - 1);
	errno = before;
	if (len <= 0 || path[0] != '/')
		return 0;
	path[len] = '\0';
	return (size_t)len;
}

static bool
fails(enum call call, int fd)
{
	char path[PATH_LEN];

	return control != NULL && (atomic_load(&control->calls) >> call & 1) != 0 &&
	    path_of(fd, path) > 0 && path_fails(call, path);
}

/* A name in an open folder. */
static bool
name_fails(enum call call, int dir, const char *name)
{
	char path[PATH_LEN];
	size_t len;

	if (dir == AT_FDCWD || name[0] == '/')
		return path_fails(call, name);
	if (control == NULL || (atomic_load(&control->calls) >> call & 1) == 0)
		return false;
	len = path_of(dir, path);
	(void)snprintf(path + len, PATH_LEN - len, "/%s", name);
	return path_fails(call, path);
}

/* Its thread stands still meanwhile, as on a disk that does not answer. */
static void
hold(int fd)
{
	char path[PATH_LEN];

	if (control == NULL || atomic_load(&control->held.first) == 0 || path_of(fd, path) == 0 ||
	    strstr(path, control->held_path) == NULL || !due(&control->held))
		return;
	while (atomic_load(&control->held.first) != 0)
		(void)usleep(1000);
}

/* How much of a failing write is written; the rest of it fails, or is left to be tried again. */
static size_t
part_of(size_t len)
{
	size_t partly = (size_t)atomic_load(&control->partly);

	return partly < len ? partly : len - 1;
}

static ssize_t
written(ssize_t done)
{
	int64_t code = atomic_load(&control->code);

	if (code == 0 && done > 0)
		return done;
	errno = error_of(code);
	return -1;
}

EXPORT ssize_t
write(int fd, const void *bytes, size_t len)
{
	if (len == 0 || !fails(WRITE, fd))
		return NEXT(ssize_t, write, int, const void *, size_t)(fd, bytes, len);
	return written(NEXT(ssize_t, write, int, const void *, size_t)(fd, bytes, part_of(len)));
}

EXPORT ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	if (len == 0 || !fails(WRITE, fd))
		return NEXT(ssize_t, pwrite, int, const void *, size_t, off_t)(fd, bytes, len, at);
	return written(
	    NEXT(ssize_t, pwrite, int, const void *, size_t, off_t)(fd, bytes, part_of(len), at));
}

EXPORT ssize_t
pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	return pwrite(fd, bytes, len, at);
}

EXPORT ssize_t
read(int fd, void *bytes, size_t len)
{
	return fails(READ, fd) ? -1 : NEXT(ssize_t, read, int, void *, size_t)(fd, bytes, len);
}

EXPORT ssize_t
pread(int fd, void *bytes, size_t len, off_t at)
{
	return fails(READ, fd)
	    ? -1
	    : NEXT(ssize_t, pread, int, void *, size_t, off_t)(fd, bytes, len, at);
}

EXPORT ssize_t
pread64(int fd, void *bytes, size_t len, off64_t at)
{
	return pread(fd, bytes, len, at);
}

EXPORT int
fsync(int fd)
{
	hold(fd);
	return fails(SYNC, fd) ? -1 : NEXT(int, fsync, int)(fd);
}

EXPORT int
fdatasync(int fd)
{
	hold(fd);
	return fails(SYNC, fd) ? -1 : NEXT(int, fdatasync, int)(fd);
}

EXPORT int
rename(const char *from, const char *to)
{
	return path_fails(RENAME, to) ? -1
				      : NEXT(int, rename, const char *, const char *)(from, to);
}

EXPORT int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return name_fails(RENAME, to_dir, to)
	    ? -1
	    : NEXT(int, renameat, int, const char *, int, const char *)(from_dir, from, to_dir, to);
}

EXPORT int
renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return name_fails(RENAME, to_dir, to)
	    ? -1
	    : NEXT(int, renameat2, int, const char *, int, const char *, unsigned)(from_dir, from,
		  to_dir, to, flags);
}

EXPORT int
ftruncate(int fd, off_t len)
{
	return fails(TRUNCATE, fd) ? -1 : NEXT(int, ftruncate, int, off_t)(fd, len);
}

EXPORT int
ftruncate64(int fd, off64_t len)
{
	return ftruncate(fd, len);
}

EXPORT int
fallocate(int fd, int mode, off_t at, off_t len)
{
	return fails(RESERVE, fd) ? -1
				  : NEXT(int, fallocate, int, int, off_t, off_t)(fd, mode, at, len);
}

EXPORT int
fallocate64(int fd, int mode, off64_t at, off64_t len)
{
	return fallocate(fd, mode, at, len);
}

/* Only opening to write, and what makes a name: reading is another class. */
static bool
open_fails(int dir, const char *path, int flags)
{
	return (flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0 && name_fails(OPEN, dir, path);
}

static mode_t
mode_of(int flags, va_list args)
{
	return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
}

EXPORT int
open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return open_fails(AT_FDCWD, path, flags)
	    ? -1
	    : NEXT(int, open, const char *, int, ...)(path, flags, mode);
}

EXPORT int
open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return open(path, flags, mode);
}

EXPORT int
openat(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return open_fails(dir, path, flags)
	    ? -1
	    : NEXT(int, openat, int, const char *, int, ...)(dir, path, flags, mode);
}

EXPORT int
openat64(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return openat(dir, path, flags, mode);
}

EXPORT int
mkostemp(char *path, int flags)
{
	return path_fails(OPEN, path) ? -1 : NEXT(int, mkostemp, char *, int)(path, flags);
}

EXPORT int
mkostemp64(char *path, int flags)
{
	return mkostemp(path, flags);
}

EXPORT char *
mkdtemp(char *path)
{
	return path_fails(OPEN, path) ? NULL : NEXT(char *, mkdtemp, char *)(path);
}

EXPORT int
mkdir(const char *path, mode_t mode)
{
	return path_fails(OPEN, path) ? -1 : NEXT(int, mkdir, const char *, mode_t)(path, mode);
}

EXPORT int
mkdirat(int dir, const char *path, mode_t mode)
{
	return name_fails(OPEN, dir, path)
	    ? -1
	    : NEXT(int, mkdirat, int, const char *, mode_t)(dir, path, mode);
}

EXPORT int
symlinkat(const char *target, int dir, const char *path)
{
	return name_fails(OPEN, dir, path)
	    ? -1
	    : NEXT(int, symlinkat, const char *, int, const char *)(target, dir, path);
}

/* The wall clock */

static void *static_clock_gettime;

static int64_t
ahead(void)
{
	return control == NULL ? 0 : atomic_load(&control->clock);
}

EXPORT int
clock_gettime(clockid_t clock, struct timespec *out)
{
	int done = NEXT(int, clock_gettime, clockid_t, struct timespec *)(clock, out);
	int64_t total;

	if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
		total = out->tv_sec * SECOND + out->tv_nsec + ahead();
		*out = (struct timespec){ total / SECOND, total % SECOND };
	}
	return done;
}

EXPORT time_t
time(time_t *out)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}
