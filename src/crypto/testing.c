#include "crypto/testing.h"

#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

bool
runs(const char *const *arguments)
{
	posix_spawn_file_actions_t quiet;
	int status = -1;
	pid_t child;
	bool ran;

	assert_int_equal(posix_spawn_file_actions_init(&quiet), 0);
	for (int fd = 0; fd <= 2; fd++)
		assert_int_equal(posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_RDWR,
				     0),
		    0);
	ran = posix_spawnp(&child, arguments[0], &quiet, NULL, (char *const *)(uintptr_t)arguments,
		  environ) == 0 &&
	    waitpid(child, &status, 0) == child;
	assert_int_equal(posix_spawn_file_actions_destroy(&quiet), 0);
	return ran && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
has_openssl(void)
{
	static const char *const arguments[] = { "openssl", "version", NULL };

	return runs(arguments);
}

void
write_file(const char *folder, const char *name, view bytes, char path[PATH_LEN])
{
	FILE *file;

	assert_true(snprintf(path, PATH_LEN, "%s/%s", folder, name) < PATH_LEN);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
	assert_int_equal(fclose(file), 0);
}
