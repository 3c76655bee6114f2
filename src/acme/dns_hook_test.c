#include "acme/dns_hook.h"
#include "base/file.h"
#include "base/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/dns-hook-XXXXXX";
static char hook[64], log_path[64];

static void
write_hook(const char *body)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct error err;

	buf_print(&text, "#!/bin/sh\nexec >>%s 2>&1\n%s\n", log_path, body);
	assert_fine(file_write(hook, buf_view(&text), 0700, &err), &err);
	(void)unlink(log_path);
}

static void
assert_logged(const char *wanted)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct error err;

	assert_fine(file_read(log_path, 65536, &text, &err), &err);
	assert_text(buf_view(&text), view_of(wanted));
}

static int
make_folder(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(hook, sizeof(hook), "%s/hook", folder);
	(void)snprintf(log_path, sizeof(log_path), "%s/log", folder);
	return 0;
}

static int
drop_folder(void **state)
{
	(void)state;
	(void)unlink(hook);
	(void)unlink(log_path);
	return rmdir(folder);
}

static void
test_arguments_and_environment(void **state)
{
	struct error err;

	(void)state;
	/* There is one thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	assert_int_equal(setenv("HOOK_SECRET", "s", 1), 0);
	write_hook(
	    "echo \"$# $1 $2 $3\"; env | cut -d= -f1 | grep -v -e PWD -e SHLVL -e '^_$'; pwd; "
	    "ls /proc/self/fd | wc -l");
	assert_fine(dns_hook_run(hook, true, V("_acme-challenge.a; touch /tmp/x"), V("$(id)"),
			&err),
	    &err);
	/* Its own three, and the one that ls reads the folder with. */
	assert_logged("3 add _acme-challenge.a; touch /tmp/x $(id)\nPATH\n/\n4\n");
	assert_fine(dns_hook_run(hook, false, V("a"), V("b"), &err), &err);
}

static void
test_failures(void **state)
{
	static const char *const bodies[] = { "exit 1", "kill -9 $$" };
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		write_hook(bodies[i]);
		assert_false(dns_hook_run(hook, true, V("a"), V("b"), &err));
		assert_int_equal(err.code, ERR_UNAVAILABLE);
	}
	assert_false(dns_hook_run("/nonexistent", true, V("a"), V("b"), &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
}

/* With what it started. */
static void
test_is_killed(void **state)
{
	struct error err;

	(void)state;
	write_hook("(sleep 3; echo late) & sleep 30");
	assert_false(dns_hook_run_for(1, hook, true, V("a"), V("b"), &err));
	assert_non_null(strstr(err.message, "within 1 seconds"));
	(void)sleep(3);
	assert_logged("");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments_and_environment),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_is_killed),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
