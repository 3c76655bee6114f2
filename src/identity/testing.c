#include "identity/testing.h"

#include "base/base64.h"
#include "crypto/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct town town;

static void
keyring_make(void)
{
	struct root_provider provider;
	char root[64];

	(void)snprintf(root, sizeof(root), "%s/root.key", town.folder);
	REQUIRE(root_provider_file(root, true, &provider, &town.err));
	REQUIRE(keyring_open(town.store, &provider, &town.keyring, &town.err));
}

int
town_setup(void **state)
{
	(void)state;
	town = (struct town){ .folder = "/tmp/identity_test_XXXXXX" };
	assert_non_null(mkdtemp(town.folder));
	arena_init(&town.arena, (size_t)64 << 20);
	REQUIRE(store_open(V("memory:"), &town.store, &town.err));
	keyring_make();
	REQUIRE(directory_open(town.store, town.keyring, V(ISSUER), 2, &town.directory, &town.err));
	random_uuid(&town.tenant);
	town_begin();
	REQUIRE(tenant_create(&town.tx, &town.tenant, V("Home"), &town.err));
	town_commit();
	town_begin();
	return 0;
}

int
town_teardown(void **state)
{
	char command[64];

	(void)state;
	store_reader_free(town.reader);
	directory_close(town.directory);
	keyring_close(town.keyring);
	store_close(town.store);
	arena_free(&town.arena);
	(void)snprintf(command, sizeof(command), "rm -r %s", town.folder);
	assert_int_equal(system(command), 0);
	return 0;
}

void
town_begin(void)
{
	if (town.reader != NULL)
		store_end(town.reader);
	else
		REQUIRE(store_reader_new(town.store, &town.reader, &town.err));
	REQUIRE(store_begin(town.reader, &town.err));
	town.tx =
	    (struct tx){ .reader = town.reader, .keyring = town.keyring, .arena = &town.arena };
}

void
town_commit(void)
{
	REQUIRE(tx_commit(&town.tx, town.store, V(""), &town.err));
}

bool
holds(view text, const char *part)
{
	view wanted = view_of(part);

	for (size_t i = 0; i + wanted.len <= text.len; i++) {
		if (view_starts(view_from(text, i), wanted))
			return true;
	}
	return false;
}

struct application
town_application(const char *name, struct plain **secret)
{
	struct application application = { .tenant = town.tenant, .name = view_of(name) };

	random_uuid(&application.id);
	random_uuid(&application.object);
	town_begin();
	REQUIRE(application_create(&town.tx, &application, &town.err));
	REQUIRE(application_add_secret(&town.tx, uuid_view(&town.tenant),
	    uuid_view(&application.id), V("first"), 3600, secret, &town.err));
	town_commit();
	town_begin();
	return application;
}

view
encode(view text)
{
	AUTO(buf_free) struct buf out = { 0 };
	view copy;

	base64_encode(BASE64URL, text, &out);
	assert_true(arena_copy(&town.arena, buf_view(&out), &copy));
	return copy;
}

view
sign(struct signing_key *key, const char *header, const char *payload)
{
	AUTO(buf_free) struct buf signature = { 0 };
	view input, token;

	assert_true(arena_print(&town.arena, &input, "%s.%s", encode(view_of(header)).ptr,
	    encode(view_of(payload)).ptr));
	REQUIRE(signing_key_sign(key, SIGNATURE_RS256, input, &signature, &town.err));
	assert_true(
	    arena_print(&town.arena, &token, "%s.%s", input.ptr, encode(buf_view(&signature)).ptr));
	return token;
}
