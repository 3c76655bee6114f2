/*
 * The doctor looks at the host: the data folder, the files that settings name, room, the clock.
 */
#include "base/clock.h"
#include "base/file.h"
#include "cli/agent_account.h"
#include "cli/doctor_checks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEGABYTE ((uint64_t)1024 * 1024)
#define DISK_SPARE (256 * MEGABYTE) /* for the store, beside two segments of the audit log */
#define DISK_ADVICE (1024 * MEGABYTE)
#define SKEW_SECONDS 300

#define ACCOUNT_MAX ((size_t)1024 * 1024) /* an account, and its groups */

#define FOLDER "data folder"

/* A file of the data folder that belongs to somebody else: the server may not open it. */
static bool
stranger(int at, const char *folder, uid_t owner, char *out, size_t size)
{
	int fd = openat(at, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool found = false;

	if (entries == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	/* One thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while (!found && (entry = readdir(entries)) != NULL) {
		struct stat stat_;

		found = strcmp(entry->d_name, "..") != 0 &&
		    fstatat(fd, entry->d_name, &stat_, AT_SYMLINK_NOFOLLOW) == 0 &&
		    stat_.st_uid != owner;
		if (found)
			(void)snprintf(out, size, "%s/%s", folder, entry->d_name);
	}
	(void)closedir(entries);
	return found;
}

static void
look_inside(struct doctor *doctor, int folder, uid_t owner)
{
	static const char *const names[] = { "store.db", "root.key" };
	char name[512];
	struct stat stat_;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (fstatat(folder, names[i], &stat_, 0) == 0)
			continue;
		doctor_say(doctor, WRONG, FOLDER,
		    "%s has no %s: set it up with `strongroom init`%s", doctor->data, names[i],
		    i == 1 ? ", or put the root key's copy there" : "");
		return;
	}
	if ((stat_.st_mode & 077) != 0)
		doctor_say(doctor, WRONG, FOLDER, "others may read the root key: chmod 600 %s/%s",
		    doctor->data, names[1]);
	else if (stranger(folder, ".", owner, name, sizeof(name)) ||
	    stranger(folder, "audit", owner, name, sizeof(name)))
		doctor_say(doctor, WRONG, FOLDER,
		    "%s in it does not belong to the folder's owner, as whom the server runs:\n"
		    "chown -R --reference=%s %s",
		    name, doctor->data, doctor->data);
	else
		doctor_say(doctor, FINE, FOLDER, "%s, of user %u, for nobody else", doctor->data,
		    (unsigned)owner);
}

void
check_folder(struct doctor *doctor)
{
	AUTO(fd_done)
	int folder = open(doctor->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat stat_;

	if (folder < 0 && errno == ENOENT)
		doctor_say(doctor, WRONG, FOLDER,
		    "there is no %s: `strongroom init` makes it; --data or --config says where",
		    doctor->data);
	else if (folder < 0 || fstat(folder, &stat_) != 0)
		doctor_say(doctor, WRONG, FOLDER,
		    "%s: %s; run this as root or as the server's user", doctor->data,
		    strerrordesc_np(errno));
	else if ((stat_.st_mode & 077) != 0)
		doctor_say(doctor, WRONG, FOLDER, "others may look into it: chmod 700 %s",
		    doctor->data);
	else
		look_inside(doctor, folder, stat_.st_uid);
}

/* Files that settings name. */
struct named_file {
	const char *setting;
	size_t offset;
	bool secret; /* for nobody else to read */
	int mode;    /* as access() has it */
};

#define NAMED(member) offsetof(struct config, member)

static const struct named_file named_files[] = {
	{ "certificate", NAMED(certificate), false, R_OK },
	{ "certificate-key", NAMED(certificate_key), true, R_OK },
	{ "backup-recipient", NAMED(backup_recipient), false, R_OK },
	{ "backup-folder", NAMED(backup_folder), false, W_OK | X_OK },
	{ "federation-ca", NAMED(federation_ca), false, R_OK },
	{ "hsm-module", NAMED(hsm_module), false, R_OK },
	{ "hsm-pin-file", NAMED(hsm_pin_file), true, R_OK },
	{ "acme-ca", NAMED(acme_ca), false, R_OK },
	{ "acme-dns-hook", NAMED(acme_dns_hook), false, X_OK },
	{ "smtp-password-file", NAMED(smtp_password_file), true, R_OK },
	{ "smtp-ca", NAMED(smtp_ca), false, R_OK },
};

/* With the groups that a service of that user has; of one that has no name, the folder's. */
static bool
become_owner(const struct stat *folder)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct account owner;
	struct error problem;

	arena_init(&arena, ACCOUNT_MAX);
	return account_find(folder->st_uid, &arena, &owner, &problem) &&
	    setgroups(owner.group_count, owner.groups) == 0 &&
	    setgid(owner.group_count > 0 ? owner.groups[0] : folder->st_gid) == 0 &&
	    setuid(folder->st_uid) == 0;
}

/*
 * Root may do everything, and the server runs as the data folder's owner: a child becomes that one
 * and tries.  0, or an errno.
 */
static int
try_access(const struct doctor *doctor, const char *path, int mode)
{
	struct stat folder;
	int status;
	pid_t child;

	if (geteuid() != 0 || stat(doctor->data, &folder) != 0 || folder.st_uid == 0)
		return access(path, mode) == 0 ? 0 : errno;
	child = fork();
	if (child == 0) {
		(void)become_owner(&folder); /* where root may not: as it is */
		_exit(access(path, mode) == 0 ? 0 : errno);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static bool
check_file(struct doctor *doctor, const struct named_file *file, const char *path)
{
	int refused = try_access(doctor, path, file->mode);
	struct stat stat_;

	if (refused == 0 && stat(path, &stat_) != 0)
		refused = errno;
	if (refused != 0)
		doctor_say(doctor, WRONG, "settings", "%s: %s: %s%s", file->setting, path,
		    strerrordesc_np(refused),
		    refused == EACCES ? ", to the data folder's owner, as whom the server runs"
				      : "");
	else if (file->secret && (stat_.st_mode & 007) != 0)
		doctor_say(doctor, WRONG, "settings", "%s: everybody may read it: chmod o= %s",
		    file->setting, path);
	else
		return true;
	return false;
}

void
check_files(struct doctor *doctor)
{
	unsigned named = 0;
	bool fine = true;

	for (size_t i = 0; i < COUNT_OF(named_files); i++) {
		const char *path = *(char *const *)(const void *)((const char *)doctor->config +
		    named_files[i].offset);

		if (*path == '\0')
			continue;
		named++;
		fine = check_file(doctor, &named_files[i], path) && fine;
	}
	if (fine)
		doctor_say(doctor, FINE, "settings", "understood; %u files are named, all there",
		    named);
}

void
check_disk(struct doctor *doctor)
{
	uint64_t need = 2 * MEGABYTE * doctor->config->audit_segment_mb + DISK_SPARE, free_;
	struct statvfs disk;

	if (statvfs(doctor->data, &disk) != 0)
		return; /* there is no folder: that has been said */
	free_ = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (free_ < need || (disk.f_files > 0 && disk.f_favail < 100))
		doctor_say(doctor, WRONG, "disk",
		    "%llu MB are free, and %llu are needed: without room for the audit log the "
		    "server refuses work",
		    (unsigned long long)(free_ / MEGABYTE), (unsigned long long)(need / MEGABYTE));
	else
		doctor_say(doctor, free_ < need + DISK_ADVICE ? ADVICE : FINE, "disk",
		    "%llu MB are free; the audit log grows with every request",
		    (unsigned long long)(free_ / MEGABYTE));
}

void
check_clock(struct doctor *doctor)
{
	AUTO(text_done) char *store = NULL;
	struct timex state = { 0 };
	struct error problem;
	struct stat stat_;

	if (!config_path(doctor->config, "store.db", &store, &problem))
		return;
	if (stat(store, &stat_) == 0 && stat_.st_mtim.tv_sec > clock_wall() + SKEW_SECONDS)
		doctor_say(doctor, WRONG, "clock",
		    "it stands before the store's last change: set it. Tokens and certificates "
		    "are judged by it");
	else if (adjtimex(&state) == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
		doctor_say(doctor, ADVICE, "clock",
		    "nothing keeps it right: apt-get install systemd-timesyncd, or chrony. Tokens "
		    "and certificates are judged by it");
	else
		doctor_say(doctor, FINE, "clock", "synchronised");
}
