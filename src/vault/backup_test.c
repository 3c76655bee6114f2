#include "base/base64.h"
#include "base/testing.h"
#include "vault/testing.h"

#include <stdlib.h>

static struct world w = { .with = { { "west", "westeurope", 90, false },
			      { "north", "NorthEurope", 90, false },
			      { "america", "eastus", 90, false } } };

/* The caller frees it. */
static char *
backup(const char *vault, const char *name)
{
	view value;

	assert_fine(world_run(&w, vault, name, object_backup), &w.err);
	value = world_member(&w, "value");
	assert_true(value.len > 0);
	return strndup(value.ptr, value.len);
}

static void
text_done(char **text)
{
	free(*text);
}

static bool
step_content_of(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	const view *id = ctx;

	if (!object_require(r, &world_type, r->params[0], *id, TO_READ, &object, &version, err))
		return false;
	json_open(reply_json(r), '{');
	world_type.write(r, &object, &version);
	json_close(&r->json, '}');
	return true;
}

static void
test_comes_back_whole(void **state)
{
	static const char *const vaults[] = { "west", "north" };
	char first[HEX16_LEN + 1] = { 0 };
	AUTO(text_done) char *blob = NULL;
	view id;

	(void)state;
	assert_fine(world_set(&w, "west", "Name", "one"), &w.err);
	id = world_member(&w, "id");
	memcpy(first, id.ptr + id.len - HEX16_LEN, HEX16_LEN);
	assert_fine(world_set(&w, "west", "Name", "two"), &w.err);
	blob = backup("west", "NAME");
	assert_fine(world_run(&w, "west", "Name", object_delete), &w.err);
	assert_fine(world_run(&w, "west", "Name", object_purge), &w.err);
	for (size_t i = 0; i < COUNT_OF(vaults); i++) {
		assert_fine(world_restore(&w, vaults[i], view_of(blob)), &w.err);
		assert_text(world_member(&w, "content"), V("two"));
		assert_true(world_replied(&w, "/things/Name/"));
		id = view_of(first);
		assert_fine(world_do(&w, vaults[i], "name", step_content_of, &id), &w.err);
		assert_text(world_member(&w, "content"), V("one"));
	}
	/* The copies are independent of each other. */
	assert_fine(world_set(&w, "west", "name", "three"), &w.err);
	id = V("");
	assert_fine(world_do(&w, "north", "name", step_content_of, &id), &w.err);
	assert_text(world_member(&w, "content"), V("two"));
}

static void
assert_malformed(const char *vault, view blob)
{
	assert_false(world_restore(&w, vault, blob));
	assert_int_equal(w.err.code, ERR_MALFORMED_BACKUP);
}

static void
test_only_within_its_geography(void **state)
{
	AUTO(text_done) char *blob = NULL;

	(void)state;
	assert_fine(world_set(&w, "west", "name", "one"), &w.err);
	blob = backup("west", "name");
	assert_malformed("america", view_of(blob));
	assert_int_equal(world_count(&w, "v/"), 2);
}

static void
test_the_name_must_be_free(void **state)
{
	AUTO(text_done) char *blob = NULL;

	(void)state;
	assert_fine(world_set(&w, "west", "name", "one"), &w.err);
	blob = backup("west", "name");
	assert_false(world_restore(&w, "west", view_of(blob)));
	assert_int_equal(w.err.code, ERR_CONFLICT);
	assert_fine(world_run(&w, "west", "name", object_delete), &w.err);
	assert_false(world_restore(&w, "west", view_of(blob)));
	assert_int_equal(w.err.code, ERR_CONFLICT);
	assert_fine(world_run(&w, "west", "name", object_purge), &w.err);
	assert_fine(world_restore(&w, "west", view_of(blob)), &w.err);
}

static void
test_every_cut_and_every_change_is_refused(void **state)
{
	AUTO(text_done) char *blob = NULL;
	AUTO(buf_free) struct buf longer = { 0 };
	size_t len;

	(void)state;
	assert_fine(world_set(&w, "west", "name", "one"), &w.err);
	blob = backup("west", "name");
	len = strlen(blob);
	for (size_t cut = 0; cut < len; cut++) {
		char *piece = malloc(cut);

		if (cut > 0)
			memcpy(piece, blob, cut);
		assert_malformed("north", (view){ piece, cut });
		free(piece);
	}
	for (size_t at = 0; at < len; at++) {
		char before = blob[at];

		blob[at] = before == 'A' ? 'B' : 'A';
		assert_malformed("north", (view){ blob, len });
		blob[at] = before;
	}
	buf_print(&longer, "%sAAAA", blob);
	assert_malformed("north", buf_view(&longer));
	assert_fine(world_restore(&w, "north", view_of(blob)), &w.err);
}

#define MARKED "Strongroom.Backup.V1.thing"

/* Sealed by ourselves, for this vault, with this in it: what a broken server could have written. */
static void
seal(view packed, struct buf *text)
{
	AUTO(buf_free) struct buf blob = { 0 };

	buf_add_char(&blob, (char)(sizeof(MARKED) - 1));
	buf_add(&blob, V(MARKED));
	assert_fine(keyring_seal_backup(w.place.keyring,
			V("00000000-0000-4000-8000-00000000000b/europe"), packed, &blob, &w.err),
	    &w.err);
	buf_reset(text);
	base64_encode(BASE64URL, buf_view(&blob), text);
}

static void
open_up(const char *blob, struct plain **out)
{
	AUTO(buf_free) struct buf bytes = { 0 };
	char *room = buf_room(&bytes, strlen(blob));
	size_t len;

	assert_true(base64_decode(BASE64URL, view_of(blob), room, &len));
	assert_true(view_starts((view){ room + 1, len - 1 }, V(MARKED)));
	assert_fine(keyring_unseal_backup(w.place.keyring,
			V("00000000-0000-4000-8000-00000000000b/europe"),
			(view){ room + sizeof(MARKED), len - sizeof(MARKED) }, out, &w.err),
	    &w.err);
}

static void
test_every_cut_of_what_is_inside_is_refused(void **state)
{
	AUTO(buf_free) struct buf text = { 0 }, longer = { 0 };
	AUTO(plain_done) struct plain *inside = NULL;
	AUTO(text_done) char *blob = NULL;
	view packed;

	(void)state;
	assert_fine(world_set(&w, "west", "name", "one"), &w.err);
	assert_fine(world_set(&w, "west", "name", "two"), &w.err);
	blob = backup("west", "name");
	open_up(blob, &inside);
	packed = plain_view(inside);
	for (size_t len = 0; len < packed.len; len++) {
		seal((view){ packed.ptr, len }, &text);
		assert_malformed("north", buf_view(&text));
	}
	buf_add(&longer, packed);
	buf_add_char(&longer, '\0');
	seal(buf_view(&longer), &text);
	assert_malformed("north", buf_view(&text));
	seal(packed, &text);
	assert_fine(world_restore(&w, "north", buf_view(&text)), &w.err);
}

static void
test_other_kinds_of_blob(void **state)
{
	static const view texts[] = { V_INIT(""), V_INIT("AA"), V_INIT("not base64!"),
		V_INIT("____"), V_INIT("GlN0cm9uZ3Jvb20") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_malformed("west", texts[i]);
}

static void
test_has_bounds(void **state)
{
	AUTO(text_done) char *blob = NULL;

	(void)state;
	for (size_t i = 0; i < BACKUP_VERSIONS_MAX; i++)
		assert_fine(world_set(&w, "west", "name", "x"), &w.err);
	blob = backup("west", "name");
	assert_fine(world_restore(&w, "north", view_of(blob)), &w.err);
	assert_int_equal(world_count(&w, "v/"), 2 * (BACKUP_VERSIONS_MAX + 1));
	assert_fine(world_set(&w, "west", "name", "x"), &w.err);
	assert_false(world_run(&w, "west", "name", object_backup));
	assert_int_equal(w.err.code, ERR_BAD_PARAMETER);
}

#define FRESH(test) cmocka_unit_test_prestate_setup_teardown(test, world_setup, world_teardown, &w)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_comes_back_whole),
		FRESH(test_only_within_its_geography),
		FRESH(test_the_name_must_be_free),
		FRESH(test_every_cut_and_every_change_is_refused),
		FRESH(test_every_cut_of_what_is_inside_is_refused),
		FRESH(test_other_kinds_of_blob),
		FRESH(test_has_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
