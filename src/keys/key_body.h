/*
 * Keys as clients send them: what may be in a body, and what it comes to.
 */
#ifndef KEYS_KEY_BODY_H
#define KEYS_KEY_BODY_H

#include "keys/key.h"

/* Text of a JWK's number: 4096 bits take 683 characters; leading zeros may come with them. */
#define KEY_NUMBER_TEXT_MAX 1024

/* What creating, importing and changing a key have in common. */
struct key_common_body {
	struct body_texts ops;
	struct body_tags tags;
	struct attributes_body attributes;
	struct body_flag exportable;
	struct body_text release_data;
};

struct key_create_body {
	struct key_common_body common;
	struct body_text kty, crv;
	struct body_number size;
	struct body_number exponent; /* vaults' keys have 65537, whatever is asked for */
};

struct key_import_body {
	struct key_common_body common;
	struct body_text kty, crv;
	struct body_text n, e, d, p, q, dp, dq, qi, x, y, k;
	struct body_text transfer; /* key_hsm: instead of the numbers */
	struct body_flag hsm;
};

/* Bytes of random that are given away at a time. */
#define KEY_RANDOM_MAX 128

struct key_random_body {
	struct body_number count;
};

extern const struct field key_create_fields[], key_import_fields[], key_update_fields[],
    key_random_fields[];

/* key_spec_of_create: What is to be made; sizes are only checked where they choose the curve. */
MUST_USE bool key_spec_of_create(const struct key_create_body *body, struct key_spec *out,
    struct error *err);

/*
 * key_spec_of_import, key_numbers_of_import:
 * What is to be taken in; the numbers are decoded into ${arena}.  The numbers themselves are the
 * keyring's to check.
 */
MUST_USE bool key_spec_of_import(const struct key_import_body *body, struct key_spec *out,
    struct error *err);
MUST_USE bool key_numbers_of_import(const struct key_import_body *body, struct arena *arena,
    struct key_numbers *out, struct error *err);

/* key_exportable_check: No key can be released yet, so none is exportable or has a policy. */
MUST_USE bool key_exportable_check(const struct key_common_body *body, struct error *err);

/* key_bytes(name, text, arena, out, err): base64url, else ERR_BAD_PARAMETER that names it. */
MUST_USE bool key_bytes(const char *name, const struct body_text *text, struct arena *arena,
    view *out, struct error *err);

#endif
