#include "keyring/testing.h"
#include "base/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REQUIRE(ok, err)                                \
	do {                                            \
		if (!(ok))                              \
			fail_msg("%s", (err)->message); \
	} while (0)

void
place_make(struct place *place, bool lasting)
{
	*place = (struct place){ .folder = "/tmp/keyring_test_XXXXXX" };
	assert_non_null(mkdtemp(place->folder));
	(void)snprintf(place->root, sizeof(place->root), "%s/root.key", place->folder);
	(void)snprintf(place->store_url, sizeof(place->store_url), "memory:");
	if (lasting)
		(void)snprintf(place->store_url, sizeof(place->store_url), "sqlite:%s/store.db",
		    place->folder);
	place_open(place);
}

void
open_provider(const struct place *place, struct root_provider *out)
{
	struct error err = { 0 };

	REQUIRE(root_provider_file(place->root, true, out, &err), &err);
}

struct store *
open_store(const char *url)
{
	struct store *store = NULL;
	struct error err = { 0 };

	REQUIRE(store_open(view_of(url), &store, &err), &err);
	return store;
}

/* A store that is open already, because it lives in memory only, stays. */
void
place_open(struct place *place)
{
	struct root_provider provider;
	struct error err = { 0 };

	if (place->store == NULL)
		place->store = open_store(place->store_url);
	open_provider(place, &provider);
	REQUIRE(keyring_open(place->store, &provider, &place->keyring, &err), &err);
}

void
place_close(struct place *place)
{
	keyring_close(place->keyring);
	place->keyring = NULL;
	if (strcmp(place->store_url, "memory:") != 0) {
		store_close(place->store);
		place->store = NULL;
	}
}

void
place_remove(struct place *place)
{
	keyring_close(place->keyring);
	store_close(place->store);
	remove_folder(place->folder);
}

struct vault_key *
new_vault(struct place *place, const char *id)
{
	AUTO(arena_free) struct arena arena;
	struct vault_key *key = NULL;
	struct error err = { 0 };
	struct change change;

	arena_init(&arena, 4096);
	REQUIRE(keyring_new_key(place->keyring, view_of(id), &arena, &change, &err), &err);
	REQUIRE(store_commit_wait(place->store, &change, 1, V(""), &err), &err);
	REQUIRE(keyring_key(place->keyring, view_of(id), &key, &err), &err);
	return key;
}

bool
opens(struct vault_key *key, const struct sealed *sealed, view aad, view text)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct error err = { 0 };

	if (!keyring_unseal(key, sealed, aad, &plain, &err)) {
		assert_int_equal(err.code, ERR_CORRUPT);
		return false;
	}
	assert_true(view_eq(plain_view(plain), text));
	return true;
}
