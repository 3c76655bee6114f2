/* The line of progress on a real terminal (a pty), and nothing where there is none. */
#include "cli/terminal.h"

#include "base/clock.h"
#include "base/testing.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS ((int64_t)1000 * 1000)

/* Standard error goes to ${fd} until it is put back. */
static int
redirect(int fd)
{
	int before = dup(STDERR_FILENO);

	assert_true(before >= 0);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	return before;
}

static void
put_back(int before)
{
	assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
	(void)close(before);
}

static int
open_pty(int *slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	/* One thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	*slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(*slave >= 0);
	return master;
}

/* All that was written, once nobody can write any more. */
static void
read_all(int master, int slave, char *out, size_t size)
{
	size_t len = 0;
	ssize_t some;

	(void)close(slave);
	while ((some = read(master, out + len, size - 1 - len)) > 0)
		len += (size_t)some;
	out[len] = '\0';
	(void)close(master);
}

static void
set_terminal(const char *kind, const char *no_colour)
{
	/* One thread. NOLINTBEGIN(concurrency-mt-unsafe) */
	assert_int_equal(setenv("TERM", kind, 1), 0);
	if (no_colour == NULL)
		assert_int_equal(unsetenv("NO_COLOR"), 0);
	else
		assert_int_equal(setenv("NO_COLOR", no_colour, 1), 0);
	/* NOLINTEND(concurrency-mt-unsafe) */
}

/* What the terminal was sent by work of so many steps, told of as fast as it goes, for so long. */
static void
shown(int64_t lasting, char *out, size_t size)
{
	int slave, master = open_pty(&slave), before = redirect(slave);
	struct terminal_line line = { 0 };
	const struct watch watch = terminal_watch(&line);
	struct progress progress = { .doing = "restoring", .unit = "documents", .total = 1 << 30 };
	const int64_t began = clock_mono();
	struct error err;

	do {
		progress.done++;
		assert_fine(watch_tell(&watch, progress, &err), &err);
	} while (clock_mono() - began < lasting);
	terminal_line_done(&line);
	terminal_line_done(&line);
	put_back(before);
	read_all(master, slave, out, size);
}

static size_t
count(const char *text, const char *what)
{
	size_t found = 0;

	while ((text = strstr(text, what)) != NULL) {
		text += strlen(what);
		found++;
	}
	return found;
}

static void
test_ten_a_second(void **state)
{
	const int64_t began = clock_mono();
	char text[8192];
	uint64_t took;
	size_t lines;

	(void)state;
	set_terminal("xterm", "1"); /* without colours all the same */
	shown(350 * MS, text, sizeof(text));
	took = (uint64_t)(clock_mono() - began);
	lines = count(text, "restoring: ");
	/* However late this process came to do it. */
	assert_in_range(lines, 1, took / (100 * MS) + 1);
	assert_int_equal(count(text, " of 1073741824 documents"), lines);
	/* Nothing is left of it: each is written over the one before, and the last one erased. */
	assert_int_equal(count(text, "\r\033[K"), lines + 1);
	assert_string_equal(text + strlen(text) - 4, "\r\033[K");
	assert_null(strchr(text, '\n'));
	assert_int_equal(count(text, "\033["), lines + 1);
}

static void
test_nobody_looks(void **state)
{
	struct terminal_line line = { 0 };
	char text[256];
	int ends[2], before;

	(void)state;
	set_terminal("dumb", NULL);
	shown(1, text, sizeof(text));
	assert_string_equal(text, "");
	set_terminal("xterm", NULL);
	assert_int_equal(pipe(ends), 0);
	before = redirect(ends[1]);
	assert_null(terminal_watch(&line).told);
	put_back(before);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void
test_what_it_says(void **state)
{
	static const struct {
		struct progress progress;
		const char *said;
	} cases[] = {
		{ { "wrapping", "keys", 3, 10 }, "wrapping: 3 of 10 keys" },
		{ { "wrapping", "keys", 3, 0 }, "wrapping: 3 keys" },
		{ { "verifying", "lines", 11, 10 }, "verifying: 11 lines" },
		{ { "restoring", NULL, 2048, 9000 }, "restoring: 2 of 8 KB" },
		{ { "restoring", NULL, 20 << 20, 61 << 20 }, "restoring: 20 of 61 MB" },
	};

	(void)state;
	set_terminal("xterm", NULL);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int slave, master = open_pty(&slave), before = redirect(slave);
		struct terminal_line line = { 0 };
		const struct watch watch = terminal_watch(&line);
		char text[256];
		struct error err;

		assert_fine(watch_tell(&watch, cases[i].progress, &err), &err);
		put_back(before);
		read_all(master, slave, text, sizeof(text));
		assert_string_equal(text + 4, cases[i].said);
	}
}

static void
test_colours(void **state)
{
	static const struct {
		const char *kind, *no_colour;
		bool colours;
	} cases[] = {
		{ "xterm", NULL, true },
		{ "xterm", "", true },
		{ "xterm", "1", false },
		{ "dumb", NULL, false },
		{ "", NULL, false },
	};
	int slave, master = open_pty(&slave), ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		set_terminal(cases[i].kind, cases[i].no_colour);
		assert_int_equal(terminal_colours(slave), cases[i].colours);
		assert_false(terminal_colours(ends[1]));
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)close(slave);
	(void)close(master);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ten_a_second),
		cmocka_unit_test(test_nobody_looks),
		cmocka_unit_test(test_what_it_says),
		cmocka_unit_test(test_colours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
