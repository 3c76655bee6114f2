#include "acme/dns_hook.h"

#include "acme/acme.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#define NANOS ((int64_t)1000000000)
#define PAUSE_NANOS 20000000
#define NAME_MAX_BYTES (ACME_NAME_MAX + 32)
#define VALUE_MAX_BYTES 128

static void
actions_done(posix_spawn_file_actions_t *actions)
{
	(void)posix_spawn_file_actions_destroy(actions);
}

static void
attr_done(posix_spawnattr_t *attr)
{
	(void)posix_spawnattr_destroy(attr);
}

/* Descriptors of ours are closed; a group of its own, so that it can be killed whole. */
static bool
start(const char *path, char *const arguments[], pid_t *out)
{
	static char variable[] =
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *environment[] = { variable, NULL };
	AUTO(actions_done) posix_spawn_file_actions_t actions;
	AUTO(attr_done) posix_spawnattr_t attr;
	sigset_t none, usual;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawnattr_init(&attr);
	(void)sigemptyset(&none);
	(void)sigemptyset(&usual);
	(void)sigaddset(&usual, SIGPIPE);
	(void)sigaddset(&usual, SIGTERM);
	(void)sigaddset(&usual, SIGINT);
	(void)sigaddset(&usual, SIGHUP);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &usual);
	(void)posix_spawnattr_setpgroup(&attr, 0);
	(void)posix_spawnattr_setflags(&attr,
	    POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) == 0 &&
	    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) == 0 &&
	    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) == 0 &&
	    posix_spawn_file_actions_addclosefrom_np(&actions, 3) == 0 &&
	    posix_spawn_file_actions_addchdir_np(&actions, "/") == 0 &&
	    posix_spawn(out, path, &actions, &attr, arguments, environment) == 0;
}

/* False: it did not end in time, and was killed. */
static bool
wait_for(pid_t child, unsigned seconds, int *status)
{
	int64_t until = clock_mono() + (int64_t)seconds * NANOS;
	const struct timespec pause = { .tv_nsec = PAUSE_NANOS };

	while (waitpid(child, status, WNOHANG) == 0) {
		if (clock_mono() > until) {
			(void)kill(-child, SIGKILL);
			(void)waitpid(child, status, 0);
			return false;
		}
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

bool
dns_hook_run_for(unsigned seconds, const char *path, bool add, view name, view value,
    struct error *err)
{
	char action[] = "remove", name_text[NAME_MAX_BYTES], value_text[VALUE_MAX_BYTES];
	char program[] = "acme-dns-hook";
	char *arguments[] = { program, action, name_text, value_text, NULL };
	int status = 0;
	pid_t child;

	if (name.len >= sizeof(name_text) || value.len >= sizeof(value_text))
		return error_set(err, ERR_BAD_REQUEST, "A name is too long for the DNS.");
	if (add)
		(void)snprintf(action, sizeof(action), "add");
	(void)snprintf(name_text, sizeof(name_text), "%.*s", VIEW_ARG(name));
	(void)snprintf(value_text, sizeof(value_text), "%.*s", VIEW_ARG(value));
	if (!start(path, arguments, &child))
		return error_set(err, ERR_UNAVAILABLE, "acme-dns-hook can't be started.");
	if (!wait_for(child, seconds, &status))
		return error_set(err, ERR_UNAVAILABLE,
		    "acme-dns-hook %s did not end within %u seconds.", action, seconds);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(err, ERR_UNAVAILABLE, "acme-dns-hook %s failed for %.*s.", action,
		    VIEW_ARG(name));
	return true;
}

bool
dns_hook_run(const char *path, bool add, view name, view value, struct error *err)
{
	return dns_hook_run_for(DNS_HOOK_SECONDS, path, add, name, value, err);
}
