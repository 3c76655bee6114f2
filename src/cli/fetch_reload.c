#include "cli/fetch_reload.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENVIRONMENT_MAX 4096 /* variables */

static bool
is_credential(const char *variable)
{
	static const char *const names[] = { "AZURE_CLIENT_SECRET=", "IDENTITY_HEADER=" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

static bool
spawn(const char *command, pid_t *pid)
{
	char shell[] = "/bin/sh", flag[] = "-c", *variables[ENVIRONMENT_MAX + 1];
	AUTO(text_done) char *text = strdup(command);
	char *argv[] = { shell, flag, text, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	size_t count = 0;
	int code;

	if (text == NULL)
		return false;
	for (char **at = environ; *at != NULL && count < ENVIRONMENT_MAX; at++) {
		if (!is_credential(*at))
			variables[count++] = *at;
	}
	variables[count] = NULL;
	if (posix_spawn_file_actions_init(&files) != 0)
		return false;
	if (posix_spawnattr_init(&attributes) != 0) {
		(void)posix_spawn_file_actions_destroy(&files);
		return false;
	}
	code = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (code == 0)
		code = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	if (code == 0)
		code = posix_spawn(pid, shell, &files, &attributes, argv, variables);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	errno = code;
	return code == 0;
}

/* False: not in time. */
static bool
wait_for(pid_t pid, unsigned seconds)
{
	AUTO(fd_done) int fd = pidfd_open(pid, 0);
	struct pollfd poll_ = { .fd = fd, .events = POLLIN };
	int got;

	if (fd < 0)
		return true;
	do
		got = poll(&poll_, 1, (int)seconds * 1000);
	while (got < 0 && errno == EINTR);
	return got != 0;
}

bool
fetch_reload(const char *command, unsigned seconds, struct error *err)
{
	bool late;
	pid_t pid;
	int status;

	if (!spawn(command, &pid))
		return error_errno(err, "the reload command can't be started");
	late = !wait_for(pid, seconds);
	if (late)
		(void)kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return error_errno(err, "the reload command");
	}
	if (late)
		return error_set(err, ERR_BAD_REQUEST,
		    "the reload command did not end in %u seconds", seconds);
	if (WIFSIGNALED(status))
		return error_set(err, ERR_BAD_REQUEST, "the reload command was ended by signal %d",
		    WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return error_set(err, ERR_BAD_REQUEST,
		    "the reload command failed with exit code %d", WEXITSTATUS(status));
	return true;
}
