/*
 * What outside issuers publish: their configuration (OpenID Connect Discovery 1.0) and their keys
 * (RFC 7517), read from strangers' text.
 */
#ifndef IDENTITY_JWKS_H
#define IDENTITY_JWKS_H

#include "crypto/hash.h"
#include "identity/jwt.h"

#define ISSUER_URL_MAX 600
#define KEY_SET_MAX 64 /* keys of one issuer that are looked at */

/*
 * issuer_url_good(url):
 * "https://host[:port][/path]", at most ISSUER_URL_MAX printable characters, without user, query
 * and fragment.
 */
bool issuer_url_good(view url);

/*
 * discovery_read(text, issuer, arena, keys_url, err):
 * Where the keys are, out of the configuration of ${issuer}, which has to name itself as its
 * issuer, exactly.  ERR_BAD_REQUEST.
 */
MUST_USE bool discovery_read(view text, view issuer, struct arena *arena, view *keys_url,
    struct error *err);

/* Keys that verify; held by references, never changed. */
struct key_set;

/*
 * key_set_read(text, out, err):
 * RSA and EC keys for signatures; all others are passed over.  ERR_BAD_REQUEST when none is left.
 * The caller releases ${out} with key_set_done.
 */
MUST_USE bool key_set_read(view text, struct key_set **out, struct error *err);
struct key_set *key_set_hold(struct key_set *set);
void key_set_done(struct key_set **set); /* for AUTO; NULL inside is fine */

bool key_set_same(const struct key_set *a, const struct key_set *b); /* the same text; or NULL */
bool key_set_names(const struct key_set *set, view kid);

enum key_verdict {
	KEY_UNKNOWN,       /* none of that name, or more than one */
	KEY_BAD_SIGNATURE, /* or an algorithm that is not the key's */
	KEY_GOOD,
};

/* key_set_verify(set, jwt): By the key that ${jwt} names; by some, when it names none. */
enum key_verdict key_set_verify(const struct key_set *set, const struct jwt *jwt);

#endif
