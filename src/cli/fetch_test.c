#include "cli/fetch.h"

#include "base/base64.h"
#include "base/json.h"
#include "cli/fetch_reload.h"
#include "cli/fetch_store.h"
#include "pki/bundle.h"
#include "pki/pem.h"
#include "pki/testing.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct error err;

static void
test_places(void **state)
{
	static const struct {
		view vault, authority;
		const char *url, *resource; /* NULL: refused */
	} rows[] = {
		{ V_INIT("https://a.vault.example.org"), V_INIT(""), "https://a.vault.example.org",
		    "https://vault.example.org" },
		{ V_INIT("https://a.vault.localhost:8443/"), V_INIT(""),
		    "https://a.vault.localhost:8443", "https://vault.localhost:8443" },
		{ V_INIT("a.vault.example.org"), V_INIT(""), "https://a.vault.example.org",
		    "https://vault.example.org" },
		{ V_INIT("a"), V_INIT("https://login.example.org/"), "https://a.vault.example.org",
		    "https://vault.example.org" },
		{ V_INIT("a"), V_INIT("https://login.localhost:84"), "https://a.vault.localhost:84",
		    "https://vault.localhost:84" },
		{ V_INIT("a"), V_INIT(""), NULL, NULL },
		{ V_INIT("a"), V_INIT("http://login.example.org"), NULL, NULL },
		{ V_INIT("a"), V_INIT("https://login"), NULL, NULL },
		{ V_INIT("a/b"), V_INIT("https://login.example.org"), NULL, NULL },
		{ V_INIT("http://a.vault.example.org"), V_INIT(""), NULL, NULL },
		{ V_INIT("https://a.vault.example.org/x"), V_INIT(""), NULL, NULL },
		{ V_INIT("https://u@a.vault.example.org"), V_INIT(""), NULL, NULL },
		{ V_INIT("https://a.vault.example.org:x"), V_INIT(""), NULL, NULL },
		{ V_INIT("https://.example.org"), V_INIT(""), NULL, NULL },
		{ V_INIT("https://a"), V_INIT(""), NULL, NULL },
		{ V_INIT(""), V_INIT("https://login.example.org"), NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fetch_place place = { 0 };
		bool fine = fetch_place_parse(rows[i].vault, rows[i].authority, &place, &err);

		assert_int_equal(fine, rows[i].url != NULL);
		if (fine) {
			assert_string_equal(place.vault.ptr, rows[i].url);
			assert_string_equal(place.resource.ptr, rows[i].resource);
		}
		fetch_place_done(&place);
	}
}

static void
test_pauses(void **state)
{
	(void)state;
	assert_int_equal(fetch_pause(43200, 0), 43200);
	assert_int_equal(fetch_pause(43200, 1), FETCH_PAUSE_MIN);
	assert_int_equal(fetch_pause(43200, 3), 4 * FETCH_PAUSE_MIN);
	assert_int_equal(fetch_pause(43200, 4000000000U), FETCH_PAUSE_MAX);
	assert_int_equal(fetch_pause(2, 1), 2);
	assert_int_equal(fetch_pause(60, 9), 60);
}

#define VERSION "0123456789abcdef0123456789abcdef"
#define SECRET_ID "https://a.vault.example.org/secrets/web/"

static void
write_reply(struct buf *out, view type, view value, view version, int64_t ends)
{
	struct json json = json_to(out);

	json_open(&json, '{');
	json_text(&json, "value", value);
	json_text(&json, "contentType", type);
	json_text_open(&json, "id");
	json_text_part(&json, V(SECRET_ID));
	json_text_part(&json, version);
	json_text_close(&json);
	json_open_in(&json, "attributes", '{');
	json_number(&json, "exp", ends);
	json_close(&json, '}');
	json_close(&json, '}');
	assert_true(buf_ok(out));
}

/* A leaf behind its issuer, in either form, comes out as the same three texts. */
static void
test_reads_secrets(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(test_key_done) struct test_key *root = test_key_new("P-256");
	AUTO(test_key_done) struct test_key *key = test_key_new("P-256");
	view items[3];
	struct views bag = { items, 2 }, leaf_first = { items + 1, 2 };
	AUTO(plain_done) struct plain *pem = NULL, *pfx = NULL;
	AUTO(buf_free) struct buf leaf = { 0 }, base64 = { 0 };

	(void)state;
	arena_init(&arena, (size_t)1024 * 1024);
	items[0] = test_certificate(&arena, "CN=root", root, "CN=root", root, true);
	items[1] = test_certificate(&arena, "CN=leaf", key, "CN=root", root, false);
	items[2] = items[0];
	pem_write(PEM_CERTIFICATE, items[1], &leaf);
	assert_fine(bundle_to_pem(test_key_pkcs8(key, &arena), &bag, &pem, &err), &err);
	assert_fine(bundle_to_pfx(test_key_pkcs8(key, &arena), &leaf_first, &pfx, &err), &err);
	base64_encode(BASE64, plain_view(pfx), &base64);
	for (int i = 0; i < 2; i++) {
		AUTO(buf_free) struct buf reply = { 0 };
		AUTO(fetched_free) struct fetched got = { 0 };
		AUTO(buf_free) struct buf both = { 0 };

		write_reply(&reply,
		    i == 0 ? V("application/x-pem-file") : V("application/x-pkcs12"),
		    i == 0 ? plain_view(pem) : buf_view(&base64), V(VERSION), NOON + 9);
		assert_fine(fetch_read(V("web"), 200, buf_view(&reply), NOON, &got, &err), &err);
		assert_string_equal(got.version, VERSION);
		assert_true(view_starts(plain_view(got.key), V("-----BEGIN PRIVATE KEY-----\n")));
		assert_true(view_starts(plain_view(got.chain), buf_view(&leaf)));
		assert_true(plain_view(got.chain).len > leaf.len);
		buf_add(&both, plain_view(got.key));
		buf_add(&both, plain_view(got.chain));
		assert_text(plain_view(got.combined), buf_view(&both));
		assert_false(fetch_read(V("web"), 200, buf_view(&reply), NOON + 10, &got, &err));
		assert_non_null(strstr(err.message, "web has expired"));
	}
}

static void
test_versions(void **state)
{
	static const struct {
		view text;
		bool fine;
	} rows[] = {
		{ V_INIT(VERSION), true },
		{ V_INIT(VERSION "0"), false },
		{ V_INIT("0123456789abcdef0123456789abcde"), false },
		{ V_INIT("0123456789ABCDEF0123456789ABCDEF"), false },
		{ V_INIT("../../../../../../../../../../aa"), false },
		{ V_INIT("0123456789abcdef0123456789abcde\0"), false },
		{ V_INIT(""), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (fetch_is_version(rows[i].text) != rows[i].fine)
			fail_msg("row %zu", i);
	}
}

static void
test_refusals(void **state)
{
	static const struct {
		long status;
		view body;
		enum error_code code;
		const char *why;
	} rows[] = {
		{ 404, V_INIT("{}"), ERR_NOT_FOUND, "deleted, or never made" },
		{ 403, V_INIT("{\"error\":{\"innererror\":{\"code\":\"SecretDisabled\"}}}"),
		    ERR_FORBIDDEN, "web is disabled" },
		{ 403, V_INIT("{\"error\":{\"message\":\"no right\"}}"), ERR_BAD_REQUEST,
		    "403: no right" },
		{ 503, V_INIT("<html>"), ERR_UNAVAILABLE, "503" },
		{ 429, V_INIT(""), ERR_UNAVAILABLE, "429" },
		{ 200, V_INIT(""), ERR_BAD_REQUEST, "no version" },
		{ 200, V_INIT("{\"id\":\"a/../../../../../../../../../../../../x\"}"),
		    ERR_BAD_REQUEST, "no version" },
		{ 200, V_INIT("{\"id\":\"" SECRET_ID VERSION "\",\"value\":\"x\"}"),
		    ERR_BAD_REQUEST, "no certificate's" },
		{ 200,
		    V_INIT("{\"id\":\"" SECRET_ID VERSION "\",\"value\":\"*\",\"contentType\":"
			   "\"application/x-pkcs12\"}"),
		    ERR_BAD_REQUEST, "base64" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fetched got = { 0 };

		assert_false(fetch_read(V("web"), rows[i].status, rows[i].body, NOON, &got, &err));
		assert_int_equal(err.code, rows[i].code);
		assert_non_null(strstr(err.message, rows[i].why));
		assert_null(got.key);
	}
}

static bool
put_into(struct fetch_store *store, char digit, bool *changed)
{
	AUTO(fetched_free) struct fetched fetched = { 0 };

	memset(fetched.version, digit, FETCH_VERSION_LEN);
	fetched.key = plain_copy((view){ &digit, 1 });
	fetched.chain = plain_copy((view){ &digit, 1 });
	fetched.combined = plain_copy((view){ &digit, 1 });
	assert_true(fetched.key != NULL && fetched.chain != NULL && fetched.combined != NULL);
	return fetch_store_put(store, &fetched, changed, &err);
}

static bool
put(const char *folder, char digit, bool *changed)
{
	AUTO(fetch_store_done) struct fetch_store *store = NULL;

	return fetch_store_open(folder, V("web"), &store, &err) && put_into(store, digit, changed);
}

static char
first_of(const char *folder, const char *file)
{
	char path[256], c = 0;
	FILE *stream;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, file);
	stream = fopen(path, "re");
	assert_non_null(stream);
	assert_int_equal(fread(&c, 1, 1, stream), 1);
	(void)fclose(stream);
	return c;
}

static void
test_store(void **state)
{
	char folder[] = "/tmp/fetch.XXXXXX", path[256];
	struct fetch_store *store = NULL, *second = NULL;
	bool changed;

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (char digit = 'a'; digit <= 'd'; digit++) {
		assert_fine(put(folder, digit, &changed), &err);
		assert_true(changed);
		assert_int_equal(first_of(folder, "web.key"), digit);
		assert_int_equal(first_of(folder, "web.pem"), digit);
		assert_int_equal(first_of(folder, "web.combined.pem"), digit);
		assert_fine(put(folder, digit, &changed), &err);
		assert_false(changed);
	}
	(void)snprintf(path, sizeof(path), "%s/.web/%032d", folder, 0);
	memset(path + strlen(path) - 32, 'b', 32);
	assert_int_not_equal(access(path, F_OK), 0);
	memset(path + strlen(path) - 32, 'c', 32);
	assert_int_equal(access(path, F_OK), 0);

	assert_fine(fetch_store_open(folder, V("web"), &store, &err), &err);
	assert_false(fetch_store_open(folder, V("web"), &second, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_true(fetch_store_waits(store));
	assert_fine(fetch_store_loaded(store, &err), &err);
	assert_false(fetch_store_waits(store));
	fetch_store_close(store);
	assert_fine(put(folder, 'e', &changed), &err);
	assert_fine(fetch_store_open(folder, V("web"), &store, &err), &err);
	assert_true(fetch_store_waits(store));
	fetch_store_close(store);
	remove_folder(folder);
}

static void
test_store_refuses(void **state)
{
	char folder[] = "/tmp/fetch.XXXXXX", path[256];
	bool changed;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chmod(folder, 0770), 0);
	assert_false(put(folder, 'a', &changed));
	assert_int_equal(err.code, ERR_FORBIDDEN);
	assert_int_equal(chmod(folder, 0700), 0);
	/* Somebody's own file. */
	(void)snprintf(path, sizeof(path), "%s/web.key", folder);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_false(put(folder, 'a', &changed));
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_int_equal(unlink(path), 0);
	assert_fine(put(folder, 'a', &changed), &err);
	remove_folder(folder);
	/* A link where the versions' folder should be. */
	assert_int_equal(mkdir(folder, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/.web", folder);
	assert_int_equal(symlink("/tmp", path), 0);
	assert_false(put(folder, 'a', &changed));
	remove_folder(folder);
}

static const char *
path_of(const char *folder, const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

#define B_FOLDER ".web/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* Whoever owns a folder above may put another one in this one's place: it gets no key. */
static void
test_store_swapped(void **state)
{
	char folder[] = "/tmp/fetch.XXXXXX", aside[32];
	struct fetch_store *store = NULL;
	bool changed;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(aside, sizeof(aside), "%s.aside", folder);
	for (char digit = 'a'; digit <= 'd'; digit++) {
		assert_fine(fetch_store_open(folder, V("web"), &store, &err), &err);
		assert_int_equal(rename(folder, aside) | mkdir(folder, 0700), 0);
		assert_int_equal(mkdir(path_of(folder, ".web"), 0700), 0);
		assert_int_equal(mkdir(path_of(folder, B_FOLDER), 0700), 0);
		assert_fine(put_into(store, digit, &changed), &err);
		assert_true(changed);
		fetch_store_close(store);
		/* As it was: empty folders. */
		assert_int_equal(rmdir(path_of(folder, B_FOLDER)), 0);
		assert_int_equal(rmdir(path_of(folder, ".web")), 0);
		assert_int_equal(rmdir(folder) | rename(aside, folder), 0);
		assert_int_equal(first_of(folder, "web.key"), digit);
	}
	assert_int_not_equal(access(path_of(folder, B_FOLDER), F_OK), 0);
	remove_folder(folder);
}

#define CURRENT ".web/current"

/* Who reached the files of a version reaches those of the next, one that was begun before too. */
static void
test_store_keeps_owners(void **state)
{
	static const struct {
		mode_t mode, kept;
	} rows[] = {
		{ 0711, 0711 },
		{ 0750, 0750 },
		{ 0700, 0700 },
		{ 0777, 0755 },
	};
	const uid_t user = geteuid() == 0 ? 65534 : geteuid();
	const gid_t group = geteuid() == 0 ? 65533 : getegid();
	char folder[] = "/tmp/fetch.XXXXXX", digit = 'b';
	struct stat status;
	bool changed;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_fine(put(folder, 'a', &changed), &err);
	assert_int_equal(stat(path_of(folder, CURRENT), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	assert_int_equal(mkdir(path_of(folder, B_FOLDER), 0755), 0);
	assert_int_equal(chown(path_of(folder, B_FOLDER), user, group), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++, digit++) {
		/* The folder is the group's, but for root to write; the key is the user's. */
		assert_int_equal(chown(path_of(folder, CURRENT), (uid_t)-1, group), 0);
		assert_int_equal(chmod(path_of(folder, CURRENT), rows[i].mode), 0);
		assert_int_equal(chown(path_of(folder, "web.key"), user, group), 0);
		assert_fine(put(folder, digit, &changed), &err);
		assert_int_equal(stat(path_of(folder, CURRENT), &status), 0);
		assert_int_equal(status.st_mode & 07777, rows[i].kept);
		assert_int_equal(status.st_uid, geteuid());
		assert_int_equal(status.st_gid, group);
		assert_int_equal(stat(path_of(folder, "web.key"), &status), 0);
		assert_int_equal(status.st_mode & 07777, 0600);
		assert_int_equal(status.st_uid, user);
		assert_int_equal(status.st_gid, group);
		assert_int_equal(stat(path_of(folder, "web.pem"), &status), 0);
		assert_int_equal(status.st_uid, geteuid());
		assert_int_equal(first_of(folder, "web.key"), digit);
	}
	remove_folder(folder);
}

static void
test_reload(void **state)
{
	static const struct {
		const char *command, *why; /* NULL: it works */
	} rows[] = {
		{ "exit 0", NULL },
		{ "exit 7", "exit code 7" },
		{ "kill -9 $$", "signal 9" },
		{ "sleep 60", "did not end" },
		{ "test -z \"$AZURE_CLIENT_SECRET$IDENTITY_HEADER\"", NULL },
		{ "read line && exit 3; exit 0", NULL },
	};

	(void)state;
	assert_int_equal(setenv("AZURE_CLIENT_SECRET", "x", 1), 0);
	assert_int_equal(setenv("IDENTITY_HEADER", "x", 1), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		bool fine = fetch_reload(rows[i].command, 1, &err);

		assert_int_equal(fine, rows[i].why == NULL);
		if (!fine)
			assert_non_null(strstr(err.message, rows[i].why));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_reads_secrets),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_store_refuses),
		cmocka_unit_test(test_store_swapped),
		cmocka_unit_test(test_store_keeps_owners),
		cmocka_unit_test(test_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
