/*
 * Keys: the rows of the data plane's /keys and /deletedkeys.  What a key is made of stays in the
 * keyring; here are its public half, what it may be used for, and its life.
 */
#ifndef KEYS_KEY_H
#define KEYS_KEY_H

#include "keyring/material.h"
#include "vault/attributes.h"

#define KEY_OPS_MAX 8
#define KEY_NAME_OF_OP_MAX 16 /* bytes of "unwrapKey" and its like, with room */

/* What a key may be used for: indices of key_op_names, in the order they were given. */
struct key_ops {
	uint8_t ops[KEY_OPS_MAX];
	size_t count;
};

/* What a version of a key holds, beside what every object has. */
struct key {
	struct material material;
	struct key_ops ops;
	bool exportable;
	view release_policy; /* as release keeps it; empty: none */
};

void key_pack(const struct key *key, struct buf *out);
MUST_USE bool key_unpack(view content, struct key *out);

/* key_put(r, key, version, err): Make it the version's content; lies in r->arena. */
MUST_USE bool key_put(struct request *r, const struct key *key, struct version *version,
    struct error *err);

/*
 * key_of(r, object, version, out, err):
 * What the version holds, with the places that material_use wants to know.
 */
MUST_USE bool key_of(struct request *r, const struct object *object, const struct version *version,
    struct key *out, struct error *err);

/* key_keep(r, key, err): Copy what lies in the version's document into the arena. */
MUST_USE bool key_keep(struct request *r, struct key *key, struct error *err);

/* "RSA", "EC-HSM" ... and back; false for what is none. */
const char *key_type_name(const struct key_spec *spec);
bool key_type_find(view name, struct key_spec *out);

/*
 * key_ops_read(texts, spec, out, err):
 * What a client sent; the kind's usual ones when it sent none.  ERR_BAD_PARAMETER for unknown ones.
 */
MUST_USE bool key_ops_read(const struct body_texts *texts, const struct key_spec *spec,
    struct key_ops *out, struct error *err);
bool key_op_find(view name, uint8_t *out); /* what struct key_ops has for it */
bool key_ops_have(const struct key_ops *ops, view name);

/*
 * key_spec_check(r, spec, err):
 * A size that there is, of a type that the vault's tier has; key_tier_check: only the latter.
 */
MUST_USE bool key_tier_check(const struct request *r, const struct key_spec *spec,
    struct error *err);
MUST_USE bool key_spec_check(const struct request *r, const struct key_spec *spec,
    struct error *err);

/* key_charge_create, key_charge_use: Count it against the vault's limits; ERR_THROTTLED. */
MUST_USE bool key_charge_create(struct request *r, const struct key_spec *spec, struct error *err);
MUST_USE bool key_charge_use(struct request *r, const struct key_spec *spec, struct error *err);

/* key_reply(r, object, version): The reply is the key's bundle. */
void key_reply(struct request *r, const struct object *object, const struct version *version);

extern const struct object_type key_type;
extern const struct op key_ops_table[]; /* making, changing, listing */
extern const struct op key_use_ops[];   /* encrypting, signing ... */

#endif
