#include "cli/fetch_store.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 3
#define VERSIONS_MAX 64 /* removed at once */

struct fetch_store {
	char *folder, *versions; /* DIR, DIR/.NAME: for messages, once they are open */
	char *name;
	int folder_fd, versions_fd; /* what was checked, and where everything is done */
};

static const struct {
	const char *name, *suffix;
} files[FILES] = { { "key.pem", "key" }, { "chain.pem", "pem" },
	{ "combined.pem", "combined.pem" } };

static void
dir_done(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
}

void
fetch_store_close(struct fetch_store *store)
{
	if (store == NULL)
		return;
	fd_done(&store->versions_fd);
	fd_done(&store->folder_fd);
	free(store->folder);
	free(store->versions);
	free(store->name);
	free(store);
}

void
fetch_store_done(struct fetch_store **store)
{
	fetch_store_close(*store);
}

static bool
is_ours(int fd, const char *path, struct error *err)
{
	struct stat stat_;

	if (fstat(fd, &stat_) != 0)
		return error_errno(err, path);
	if (stat_.st_uid != geteuid() && stat_.st_uid != 0)
		return error_set(err, ERR_FORBIDDEN, "%s belongs to another user", path);
	if ((stat_.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return error_set(err, ERR_FORBIDDEN, "%s: others may write there (chmod go-w)",
		    path);
	return true;
}

/* From here on only this user and root can change what is in the two folders. */
static bool
open_folders(struct fetch_store *store, struct error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	store->folder_fd = open(store->folder, flags);
	if (store->folder_fd < 0)
		return error_errno(err, store->folder);
	if (!is_ours(store->folder_fd, store->folder, err))
		return false;
	if (mkdirat(store->folder_fd, store->name, 0700) != 0 && errno != EEXIST)
		return error_errno(err, store->versions);
	store->versions_fd = openat(store->folder_fd, store->name, flags | O_NOFOLLOW);
	if (store->versions_fd < 0)
		return error_errno(err, store->versions);
	if (!is_ours(store->versions_fd, store->versions, err))
		return false;
	if (flock(store->versions_fd, LOCK_EX | LOCK_NB) != 0)
		return error_set(err, ERR_CONFLICT, "%s: another one is at work there",
		    store->versions);
	return true;
}

/* asprintf that leaves NULL. */
PRINTF(2, 3)
static bool
print(char **out, const char *format, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vasprintf(out, format, arguments);
	va_end(arguments);
	if (len < 0)
		*out = NULL;
	return len >= 0;
}

bool
fetch_store_open(const char *folder, view name, struct fetch_store **out, struct error *err)
{
	AUTO(fetch_store_done) struct fetch_store *store = calloc(1, sizeof(*store));

	if (store == NULL)
		return error_memory(err);
	store->folder_fd = store->versions_fd = -1;
	if (!print(&store->folder, "%s", folder) || !print(&store->name, ".%.*s", VIEW_ARG(name)) ||
	    !print(&store->versions, "%s/%s", folder, store->name))
		return error_memory(err);
	if (!open_folders(store, err))
		return false;
	*out = store;
	store = NULL;
	return true;
}

/* Where a link leads; empty when there is none. */
static void
link_read(int folder, const char *name, char out[PATH_MAX])
{
	ssize_t len = readlinkat(folder, name, out, PATH_MAX - 1);

	out[len > 0 ? len : 0] = '\0';
}

static bool
link_is(int folder, const char *name, const char *target)
{
	char now[PATH_MAX];

	link_read(folder, name, now);
	return strcmp(now, target) == 0;
}

/* In one step, whether there was one or not. */
static bool
link_replace(int folder, const char *name, const char *target, struct error *err)
{
	AUTO(text_done) char *temporary = NULL;

	if (!print(&temporary, ".%s.new", name))
		return error_memory(err);
	if (unlinkat(folder, temporary, 0) != 0 && errno != ENOENT)
		return error_errno(err, temporary);
	if (symlinkat(target, folder, temporary) != 0 ||
	    renameat(folder, temporary, folder, name) != 0 || fsync(folder) != 0)
		return error_errno(err, name);
	return true;
}

static bool
chown_like(int folder, const char *name, const struct stat *old, struct error *err)
{
	struct stat now;

	if (fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW) != 0)
		return error_errno(err, name);
	if (old->st_uid == now.st_uid && old->st_gid == now.st_gid)
		return true;
	return fchownat(folder, name, old->st_uid, old->st_gid, AT_SYMLINK_NOFOLLOW) == 0 ||
	    error_errno(err, name);
}

/* The owners of the version before keep the files. */
static bool
keep_owner(int before, int folder, const char *file, struct error *err)
{
	struct stat old;

	if (before < 0)
		return true;
	if (fstatat(before, file, &old, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || error_errno(err, file);
	return !S_ISREG(old.st_mode) || chown_like(folder, file, &old, err);
}

/* Whoever gets to the files through it still does; that none but its owner may write stays. */
static bool
keep_folder(int before, int folder, struct error *err)
{
	const mode_t kept = S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH;
	struct stat old;

	if (before < 0)
		return true;
	if (fstat(before, &old) != 0)
		return error_errno(err, "cannot look at a folder");
	return chown_like(folder, ".", &old, err) &&
	    (fchmod(folder, old.st_mode & kept) == 0 ||
		error_errno(err, "cannot let others into a folder"));
}

/* For now, also when a put that did not end has left it, given away already. */
static bool
make_ours_alone(int folder)
{
	struct stat now;

	return fstat(folder, &now) == 0 &&
	    (now.st_uid == geteuid() || fchown(folder, geteuid(), getegid()) == 0) &&
	    fchmod(folder, 0700) == 0;
}

static bool
write_version(struct fetch_store *store, const struct fetched *fetched, struct error *err)
{
	const struct plain *texts[FILES] = { fetched->key, fetched->chain, fetched->combined };
	AUTO(fd_done)
	int before = openat(store->versions_fd, "current", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO(fd_done) int folder = -1;

	if (before < 0 && errno != ENOENT)
		return error_errno(err, store->versions);
	if (mkdirat(store->versions_fd, fetched->version, 0700) != 0 && errno != EEXIST)
		return error_errno(err, "cannot make a folder");
	folder = openat(store->versions_fd, fetched->version,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 || !make_ours_alone(folder))
		return error_errno(err, "cannot make a folder");
	for (size_t i = 0; i < FILES; i++) {
		if (!file_write_at(folder, files[i].name, plain_view(texts[i]), 0600, err) ||
		    !keep_owner(before, folder, files[i].name, err))
			return false;
	}
	if (!keep_folder(before, folder, err))
		return false;
	return (fsync(folder) == 0 && fsync(store->versions_fd) == 0) ||
	    error_errno(err, store->versions);
}

/* What the server's settings name.  A file that somebody else put there is not replaced. */
static bool
show(struct fetch_store *store, struct error *err)
{
	for (size_t i = 0; i < FILES; i++) {
		AUTO(text_done) char *name = NULL, *target = NULL;
		struct stat stat_;

		if (!print(&name, "%s.%s", store->name + 1, files[i].suffix) ||
		    !print(&target, "%s/current/%s", store->name, files[i].name))
			return error_memory(err);
		if (link_is(store->folder_fd, name, target))
			continue;
		if (fstatat(store->folder_fd, name, &stat_, AT_SYMLINK_NOFOLLOW) == 0 &&
		    !S_ISLNK(stat_.st_mode))
			return error_set(err, ERR_CONFLICT,
			    "%s/%s is there, and no link of ours: move it away", store->folder,
			    name);
		if (!link_replace(store->folder_fd, name, target, err))
			return false;
	}
	return true;
}

/* NULL when it can't be, or is a link. */
static DIR *
open_dir(int above, const char *name)
{
	int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL)
		fd_done(&fd);
	return dir;
}

/* All in it that is none of ours, or all. */
static void
empty_version(int versions, const char *version, bool all)
{
	AUTO(dir_done) DIR *dir = open_dir(versions, version);
	struct dirent *entry;

	if (dir == NULL)
		return;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while ((entry = readdir(dir)) != NULL) {
		bool ours = false;

		for (size_t i = 0; i < FILES; i++)
			ours = ours || strcmp(entry->d_name, files[i].name) == 0;
		if (all || !ours)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
}

/*
 * What a run that was killed or failed has left goes, too: private keys do not stay for longer than
 * they have to.  What is not removed now is so the next time.
 */
static void
tidy(struct fetch_store *store)
{
	char old[VERSIONS_MAX][FETCH_VERSION_LEN + 1], current[PATH_MAX], before[PATH_MAX];
	AUTO(dir_done) DIR *dir = open_dir(store->versions_fd, ".");
	struct dirent *entry;
	size_t count = 0;

	link_read(store->versions_fd, "current", current);
	link_read(store->versions_fd, "previous", before);
	if (fetch_is_version(view_of(current)))
		empty_version(store->versions_fd, current, false);
	/* Without that, there is no telling who still reads what. */
	if (dir == NULL || before[0] == '\0')
		return;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while (count < VERSIONS_MAX && (entry = readdir(dir)) != NULL) {
		if (fetch_is_version(view_of(entry->d_name)) &&
		    strcmp(entry->d_name, current) != 0 && strcmp(entry->d_name, before) != 0)
			memcpy(old[count++], entry->d_name, FETCH_VERSION_LEN + 1);
	}
	for (size_t i = 0; i < count; i++) {
		empty_version(store->versions_fd, old[i], true);
		(void)unlinkat(store->versions_fd, old[i], AT_REMOVEDIR);
	}
}

/*
 * In this order: a kill in between leaves two names of one version.  The first version is its own
 * previous one, so that a draft of another goes.
 */
static bool
turn(struct fetch_store *store, const char *before, const char *version, struct error *err)
{
	return link_replace(store->versions_fd, "previous", before[0] == '\0' ? version : before,
		   err) &&
	    link_replace(store->versions_fd, "current", version, err);
}

bool
fetch_store_put(struct fetch_store *store, const struct fetched *fetched, bool *changed,
    struct error *err)
{
	char before[PATH_MAX];

	*changed = false;
	link_read(store->versions_fd, "current", before);
	if (strcmp(before, fetched->version) == 0) {
		tidy(store);
		return show(store, err);
	}
	/* What is in the way is found before anything changes. */
	if (before[0] == '\0' && !show(store, err))
		return false;
	if (!write_version(store, fetched, err) || !turn(store, before, fetched->version, err) ||
	    !show(store, err))
		return false;
	*changed = true;
	tidy(store);
	return true;
}

bool
fetch_store_waits(const struct fetch_store *store)
{
	char current[PATH_MAX];

	link_read(store->versions_fd, "current", current);
	return current[0] != '\0' && !link_is(store->versions_fd, "loaded", current);
}

bool
fetch_store_loaded(struct fetch_store *store, struct error *err)
{
	char current[PATH_MAX];

	link_read(store->versions_fd, "current", current);
	return link_replace(store->versions_fd, "loaded", current, err);
}
