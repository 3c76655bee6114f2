/*
 * Keys that come into being: the work that takes its time is done off the loop, then the version is
 * added.
 */
#ifndef KEYS_KEY_MAKE_H
#define KEYS_KEY_MAKE_H

#include "keys/key.h"

bool key_create(struct request *r, struct error *err); /* rows' functions */
bool key_import(struct request *r, struct error *err);
bool key_rotate(struct request *r, struct error *err);

/*
 * key_add_successor(r, name, key, version, object, err):
 * Add the version that follows by rotation to the live object ${name}: ${key} with its new
 * material, ${version} with the tags of the one before.  Fills in ${object} and the version's id,
 * times and, by the key's rotation policy, expiry.
 */
MUST_USE bool key_add_successor(struct request *r, view name, const struct key *key,
    struct version *version, struct object *object, struct error *err);

#endif
