/*
 * For the tests of keyring/: a folder of its own with a root key and a store.
 */
#ifndef KEYRING_TESTING_H
#define KEYRING_TESTING_H

#include "keyring/keyring.h"

struct place {
	char folder[32];
	char root[64];      /* the root key file */
	char store_url[64]; /* "memory:", or a file in the folder */
	struct store *store;
	struct keyring *keyring;
};

/* All of these fail the test when something goes wrong. */
void place_make(struct place *place, bool lasting);
void place_open(struct place *place); /* store and keyring */
void place_close(struct place *place);
void place_remove(struct place *place); /* closes too */

void open_provider(const struct place *place, struct root_provider *out);
struct store *open_store(const char *url);

/* A vault key, new and committed. */
struct vault_key *new_vault(struct place *place, const char *id);

/* Does ${key} open what was sealed as ${text} for ${aad}? */
bool opens(struct vault_key *key, const struct sealed *sealed, view aad, view text);

#endif
