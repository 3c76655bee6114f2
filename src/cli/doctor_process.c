/*
 * The doctor looks at the limits that count: those of the server, if it runs, else this process's.
 */
#include "base/file.h"
#include "base/plain.h"
#include "cli/doctor_checks.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define PROC_MAX ((size_t)64 * 1024)
#define FILES_SPARE 128 /* beside connections: the store, the log, the loops */

static bool
read_proc(const char *process, const char *name, struct buf *out)
{
	char path[300];
	struct error problem;

	(void)snprintf(path, sizeof(path), "/proc/%s/%s", process, name);
	buf_reset(out);
	return file_read(path, PROC_MAX, out, &problem) && buf_ok(out);
}

/* The number that stands behind ${name} in a text of lines: the first of them. */
static bool
number_behind(const struct buf *text, view name, uint64_t *out)
{
	view rest = buf_view(text);

	while (rest.len > 0) {
		view line = view_cut(&rest, '\n');
		size_t from, to;

		if (!view_starts(line, name))
			continue;
		for (from = name.len; from < line.len && strchr("\t ", line.ptr[from]) != NULL;)
			from++;
		for (to = from; to < line.len && strchr("\t ", line.ptr[to]) == NULL;)
			to++;
		if (view_eq((view){ line.ptr + from, to - from }, V("unlimited"))) {
			*out = UINT64_MAX;
			return true;
		}
		return view_u64((view){ line.ptr + from, to - from }, out);
	}
	return false;
}

/* "strongroom serve" or "strongroom dev", of that user. */
static bool
is_server(const char *process, uid_t owner)
{
	AUTO(buf_free) struct buf text = { 0 };
	view rest, program, command;
	uint64_t user;

	if (!read_proc(process, "cmdline", &text))
		return false;
	rest = buf_view(&text);
	program = view_cut(&rest, '\0');
	command = view_cut(&rest, '\0');
	return view_ends(program, V("strongroom")) &&
	    (view_eq(command, V("serve")) || view_eq(command, V("dev"))) &&
	    read_proc(process, "status", &text) && number_behind(&text, V("Uid:"), &user) &&
	    user == owner;
}

/* The one server of the data folder's owner; false when there is none, or several. */
static bool
find_server(const struct doctor *doctor, char out[32])
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;
	unsigned found = 0;
	struct stat folder;

	if (processes == NULL)
		return false;
	/* One thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while (stat(doctor->data, &folder) == 0 && (entry = readdir(processes)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    !is_server(entry->d_name, folder.st_uid))
			continue;
		(void)snprintf(out, 32, "%.31s", entry->d_name);
		found++;
	}
	(void)closedir(processes);
	return found == 1;
}

#define MEMORY_HOW                                                              \
	"systemd: LimitMEMLOCK=infinity (the unit has it); a shell: ulimit -l " \
	"unlimited"

void
check_memory(struct doctor *doctor)
{
	AUTO(buf_free) struct buf status = { 0 };
	uint64_t locked, size;
	struct error problem;
	char process[32];

	if (find_server(doctor, process) && read_proc(process, "status", &status) &&
	    number_behind(&status, V("VmLck:"), &locked) &&
	    number_behind(&status, V("VmSize:"), &size)) {
		/* All of it, but for what the kernel can't lock. */
		if (locked > size / 2)
			doctor_say(doctor, FINE, "locked memory", "the server's stays out of swap");
		else
			doctor_say(doctor, ADVICE, "locked memory",
			    "the server could lock only some: secrets may get into swap.\n" MEMORY_HOW);
		return;
	}
	/* As the server does it at its start. */
	if (plain_protect(&problem))
		doctor_say(doctor, FINE, "locked memory", "secrets stay out of swap");
	else
		doctor_say(doctor, ADVICE, "locked memory",
		    "%s: secrets may get into swap.\n" MEMORY_HOW, problem.message);
	(void)munlockall();
}

void
check_open_files(struct doctor *doctor)
{
	uint64_t need = doctor->config->connections + FILES_SPARE, allowed;
	AUTO(buf_free) struct buf limits = { 0 };
	struct rlimit limit;
	char process[32];

	if (!find_server(doctor, process) || !read_proc(process, "limits", &limits) ||
	    !number_behind(&limits, V("Max open files"), &allowed)) {
		if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
			return;
		allowed = limit.rlim_cur;
	}
	if (allowed >= need)
		doctor_say(doctor, FINE, "open files", "%u connections fit the limit",
		    doctor->config->connections);
	else
		doctor_say(doctor, ADVICE, "open files",
		    "%llu are allowed, %u connections need %llu.\n"
		    "systemd: LimitNOFILE=65536 (the unit has it); a shell: ulimit -n %llu",
		    (unsigned long long)allowed, doctor->config->connections,
		    (unsigned long long)need, (unsigned long long)need);
}
