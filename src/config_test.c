#include "base/file.h"
#include "base/testing.h"
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLAGS_MAX 8

static char path[64];
static struct config config;
static struct error err;

static const char *const variables[] = { "STRONGROOM_CONFIG", "STRONGROOM_DATA",
	"STRONGROOM_DOMAIN", "STRONGROOM_PORT", "STRONGROOM_VAULT", "STRONGROOM_LISTEN",
	"STRONGROOM_AUDIT_SYNC", "STRONGROOM_LOCATION" };

static int
setup(void **state)
{
	int fd;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(variables); i++)
		(void)unsetenv(variables[i]);
	(void)snprintf(path, sizeof(path), "/tmp/config_test_XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	return close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	config_free(&config);
	return unlink(path);
}

static void
write_settings(view text)
{
	assert_fine(file_write(path, text, 0600, &err), &err);
	assert_int_equal(setenv("STRONGROOM_CONFIG", path, 1), 0);
}

/* Load with these flags, up to the first NULL. */
static bool
load(const char *const flags[FLAGS_MAX])
{
	char *argv[FLAGS_MAX] = { 0 };
	int argc = 0;

	for (; argc < FLAGS_MAX && flags[argc] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)flags[argc];
	config_free(&config);
	return config_load(argc, argv, &config, &err);
}

#define LOAD(...) load((const char *const[FLAGS_MAX]){ __VA_ARGS__ })

static void
check_list(const struct config_list *list, const char *wanted)
{
	AUTO(buf_free) struct buf text = { 0 };

	for (size_t i = 0; i < list->count; i++)
		buf_print(&text, "%s ", list->items[i]);
	assert_null(list->items[list->count]);
	assert_text(buf_view(&text), view_of(wanted));
}

static void
test_defaults(void **state)
{
	(void)state;
	assert_fine(LOAD(NULL), &err);
	assert_false(config.dev);
	assert_string_equal(config.data, ".strongroom");
	assert_string_equal(config.domain, "localhost");
	assert_string_equal(config.audit_sync, "interval");
	assert_int_equal(config.port, 8443);
	assert_int_equal(config.public_port, 8443);
	assert_string_equal(config_port(&config).text, ":8443");
	check_list(&config.listen, "127.0.0.1 ::1 ");
	check_list(&config.vaults, "");
}

static void
test_later_sources_win(void **state)
{
	(void)state;
	write_settings(V("port = 1001\ndomain = file\nlocation=file\n; a comment\n"));
	assert_fine(LOAD(NULL), &err);
	assert_int_equal(config.port, 1001);
	assert_string_equal(config.domain, "file");
	assert_int_equal(setenv("STRONGROOM_PORT", "1002", 1), 0);
	assert_int_equal(setenv("STRONGROOM_LOCATION", "environment", 1), 0);
	assert_fine(LOAD(NULL), &err);
	assert_int_equal(config.port, 1002);
	assert_fine(LOAD("--port", "1003"), &err);
	assert_int_equal(config.port, 1003);
	assert_int_equal(config.public_port, 1003);
	assert_string_equal(config.domain, "file");
	assert_string_equal(config.location, "environment");
	assert_fine(LOAD("--port=1003", "--port", "1004", "--public-port=443"), &err);
	assert_int_equal(config.port, 1004);
	assert_int_equal(config.public_port, 443);
	assert_string_equal(config_port(&config).text, "");
	assert_null(config_given(config.certificate));
	assert_string_equal(config_given(config.location), "environment");
}

static void
test_the_file_by_flag(void **state)
{
	(void)state;
	write_settings(V("domain = file"));
	assert_int_equal(setenv("STRONGROOM_CONFIG", "/nowhere", 1), 0);
	assert_false(LOAD(NULL));
	assert_fine(LOAD("--config", path), &err);
	assert_string_equal(config.domain, "file");
	assert_fine(LOAD("--domain", "flag", "--config", path), &err);
	assert_string_equal(config.domain, "flag");
	assert_false(LOAD("--config", "/nowhere/at/all"));
}

/* A source adds to a list it began itself; another source's is replaced. */
static void
test_lists(void **state)
{
	(void)state;
	write_settings(V("vault = one, two\nvault = three\n"));
	assert_fine(LOAD(NULL), &err);
	check_list(&config.vaults, "one two three ");
	assert_fine(LOAD("--vault", "four", "--vault=five,six,,", "--listen", " ::1 "), &err);
	check_list(&config.vaults, "four five six ");
	check_list(&config.listen, "::1 ");
	assert_int_equal(setenv("STRONGROOM_VAULT", "seven,eight", 1), 0);
	assert_fine(LOAD(NULL), &err);
	check_list(&config.vaults, "seven eight ");
	assert_int_equal(setenv("STRONGROOM_VAULT", "", 1), 0);
	assert_fine(LOAD(NULL), &err);
	check_list(&config.vaults, "");
}

static void
test_lists_have_bounds(void **state)
{
	AUTO(buf_free) struct buf text = { 0 };

	(void)state;
	for (int i = 0; i < CONFIG_LIST_MAX; i++)
		buf_print(&text, "v%d,", i);
	buf_add_char(&text, '\0');
	assert_fine(LOAD("--vault", text.ptr), &err);
	assert_int_equal(config.vaults.count, CONFIG_LIST_MAX);
	assert_false(LOAD("--vault", text.ptr, "--vault", "another"));
	assert_int_equal(err.code, ERR_BAD_REQUEST);
}

static void
test_refuses_flags(void **state)
{
	static const char *const rows[][FLAGS_MAX] = {
		{ "--port", "0" },
		{ "--port", "65536" },
		{ "--port", "" },
		{ "--port", "-1" },
		{ "--port", "80 " },
		{ "--port", "0x50" },
		{ "--port", "18446744073709551617" },
		{ "--port" },
		{ "--pool=0" },
		{ "--loops=65" },
		{ "--config" },
		{ "--nothing", "1" },
		{ "--", "1" },
		{ "--=1" },
		{ "-port", "1" },
		{ "stray" },
		{ "--port", "1", "stray" },
		{ "--Port", "1" },
		{ "--data", "" },
		{ "--domain=" },
		{ "--domain", "two words" },
		{ "--domain", "https://vaults.example.org" },
		{ "--domain", "vaults.example.org:443" },
		{ "--domain", "vaults..example.org" },
		{ "--listen", "" },
		{ "--listen=,," },
		{ "--audit-sync", "never" },
		{ "--connections-per-address=1000001" },
		{ "--proxy-from", "10.0.0.1/8" },
		{ "--proxy-from", "10.0.0.0/8,balancer.example" },
		{ "--throttle", "100001" },
		{ "--throttle", "" },
		{ "--throttle-vault", "one" },
		{ "--throttle-vault", "=1" },
		{ "--throttle-vault", "one=" },
		{ "--throttle-vault", "one=-1" },
		{ "--throttle-vault", "one=100001" },
		{ "--throttle-vault", "one=1=2" },
		{ "--throttle-vault", "one=1,two=x" },
		{ "--certificate", "file" },
		{ "--hsm-module", "file" },
		{ "--hsm-module", "file", "--hsm-token", "label" },
		{ "--hsm-pin-file", "file" },
		{ "--hsm-sessions", "0" },
		{ "--certificate-key", "file" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (load(rows[i]))
			fail_msg("accepted: %s", rows[i][0]);
		assert_int_equal(err.code, ERR_BAD_REQUEST);
	}
}

static void
test_refuses_settings_in_the_file(void **state)
{
	static const view rows[] = {
		V_INIT("nothing = 1\n"),
		V_INIT("port = 0\n"),
		V_INIT("port\n"),
		V_INIT("[section]\nport = 1\n"),
		V_INIT("[section\nport = 1\n"),
		V_INIT("config = other\n"),
		V_INIT("dev = true\n"),
		V_INIT("port = 1 2\n"),
		V_INIT("port = 1\n\0port = 2\n"),
		/* What comes behind a mistake doesn't make up for it. */
		V_INIT("nothing = 1\nport = 1\n"),
		V_INIT("port = 0\nport = 1\n"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		write_settings(rows[i]);
		if (LOAD(NULL))
			fail_msg("accepted: %s", rows[i].ptr);
		assert_int_equal(err.code, ERR_BAD_REQUEST);
	}
}

/* The first mistake is the one told about. */
static void
test_tells_the_first_mistake(void **state)
{
	(void)state;
	write_settings(V("first = 1\nsecond = 1\nport = 0\n"));
	assert_false(LOAD(NULL));
	assert_non_null(strstr(err.message, ": no such setting: first ("));
}

/* A slip of the fingers is told from what is like nothing. */
static void
test_suggests_the_nearest(void **state)
{
	static const struct {
		const char *flag, *said;
	} rows[] = {
		{ "--prot", "no such setting: prot (is it port? `" },
		{ "--portt", "no such setting: portt (is it port? `" },
		{ "--audit-snyc", "no such setting: audit-snyc (is it audit-sync? `" },
		{ "--xyzzy", "no such setting: xyzzy (`" },
		{ "--x", "no such setting: x (`" },
		{ "--attestation-authorities-of-quite-another-kind", "-another-kind (`" },
	};

	(void)state;
	write_settings(V(""));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_false(LOAD(rows[i].flag, "1"));
		assert_non_null(strstr(err.message, rows[i].said));
	}
}

/* A line is bounded in the file, a value everywhere; nothing is cut silently. */
static void
test_long_values(void **state)
{
	static const struct {
		size_t len;
		bool in_file, by_flag;
	} rows[] = { { 100, true, true }, { 190, true, true }, { 191, false, true },
		{ 192, false, true }, { 193, false, true }, { CONFIG_TEXT_MAX, false, true },
		{ CONFIG_TEXT_MAX + 1, false, false }, { 100000, false, false } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf_free) struct buf file = { 0 }, flag = { 0 };

		buf_add(&flag, V("--data="));
		for (size_t at = 0; at < rows[i].len; at++)
			buf_add_char(&flag, at % 2 == 0 ? 'x' : ';');
		buf_print(&file, "data = %.*s\nport = 77\n",
		    VIEW_ARG(view_from(buf_view(&flag), 7)));
		buf_add_char(&flag, '\0');
		write_settings(buf_view(&file));
		assert_int_equal(LOAD(NULL), rows[i].in_file);
		if (rows[i].in_file) {
			assert_int_equal(strlen(config.data), rows[i].len);
			assert_int_equal(config.port, 77);
		}
		(void)unsetenv("STRONGROOM_CONFIG");
		assert_int_equal(LOAD(flag.ptr), rows[i].by_flag);
	}
}

static void
test_throttle(void **state)
{
	static const struct {
		const char *flags[FLAGS_MAX];
		bool dev;
		unsigned one, other;
	} rows[] = {
		{ { NULL }, false, 100, 100 },
		{ { NULL }, true, 0, 0 },
		{ { "--throttle=100" }, true, 100, 100 },
		{ { "--throttle=0" }, false, 0, 0 },
		{ { "--throttle=100000" }, false, 100000, 100000 },
		{ { "--throttle=7", "--throttle-vault=one=0" }, false, 0, 7 },
		{ { "--throttle-vault", "ONE=100000,one=50" }, false, 50, 100 },
		{ { "--throttle-vault", "ones=1, one=2", "--throttle-vault", "on=3" }, true, 2, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_fine(load(rows[i].flags), &err);
		config.dev = rows[i].dev;
		assert_int_equal(config_throttle(&config, V("One")), rows[i].one);
		assert_int_equal(config_throttle(&config, V("other")), rows[i].other);
	}
}

static void
test_certificate_and_key(void **state)
{
	(void)state;
	assert_fine(LOAD("--certificate", "a", "--certificate-key", "b"), &err);
	assert_string_equal(config.certificate, "a");
	assert_string_equal(config.certificate_key, "b");
}

static void
test_paths(void **state)
{
	char *text = NULL;

	(void)state;
	assert_fine(LOAD("--data", "/a/b"), &err);
	assert_fine(config_path(&config, "name", &text, &err), &err);
	assert_string_equal(text, "/a/b/name");
	free(text);
}

static void
test_the_table_has_every_setting_once(void **state)
{
	AUTO(buf_free) struct buf markdown = { 0 };
	struct setting_text setting, other;
	size_t count = 0, lines = 0;

	(void)state;
	for (; config_setting(count, &setting); count++) {
		assert_true(setting.help[0] != '\0');
		for (size_t i = 0; i < count; i++) {
			assert_true(config_setting(i, &other));
			assert_string_not_equal(setting.name, other.name);
		}
	}
	config_markdown(&markdown);
	for (view rest = buf_view(&markdown); rest.len > 0; lines++)
		assert_true(view_starts(view_cut(&rest, '\n'), V("|")));
	assert_int_equal(lines, count + 2);
	assert_true(count > 20);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_defaults),
		FRESH(test_later_sources_win),
		FRESH(test_the_file_by_flag),
		FRESH(test_lists),
		FRESH(test_lists_have_bounds),
		FRESH(test_refuses_flags),
		FRESH(test_refuses_settings_in_the_file),
		FRESH(test_tells_the_first_mistake),
		FRESH(test_suggests_the_nearest),
		FRESH(test_long_values),
		FRESH(test_throttle),
		FRESH(test_certificate_and_key),
		FRESH(test_paths),
		FRESH(test_the_table_has_every_setting_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
