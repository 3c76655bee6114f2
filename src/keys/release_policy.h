/*
 * Release policies: what has to be attested of an environment before a key is released to it.
 * Reference of the data plane, section 9.7; the grammar, version 1.0.0:
 *
 *	{"version":"1.0.0","anyOf":[AUTHORITY, ...]}
 *	AUTHORITY: {"authority":"https://...", "allOf" or "anyOf":[CONDITION, ...]}
 *	CONDITION: {"claim":"a.b","equals":VALUE}, {"allOf" or "anyOf":[CONDITION, ...]}, or, from
 *		before the version: {"claim":"a.b","condition":"equals","value":VALUE}
 *	VALUE: text, number, true or false
 *
 * A policy is checked whole before it is kept; whatever else stands in it is refused, because what
 * is not understood can't be held to.
 */
#ifndef KEYS_RELEASE_POLICY_H
#define KEYS_RELEASE_POLICY_H

#include "api/body.h"
#include "base/json.h"

#define RELEASE_DATA_MAX ((size_t)16 * 1024) /* bytes of a policy's JSON */
#define RELEASE_DEPTH_MAX 8                  /* conditions within conditions */
#define RELEASE_CONDITIONS_MAX 256           /* of one policy, at all depths */
#define RELEASE_TYPE_MAX 128                 /* bytes of the content type */

/* Views borrow from what it was read from. */
struct release_policy {
	bool immutable;
	view type; /* "application/json; charset=utf-8" */
	view data; /* the JSON text, as the client wrote it; empty: there is no policy */
};

/* What a client may send. */
struct release_policy_body {
	struct body_text type, data;
	struct body_flag immutable;
};
extern const struct field release_policy_fields[];

bool release_policy_sent(const struct release_policy_body *body);

/*
 * release_policy_fill(body, before, arena, out, err):
 * The policy that becomes of ${before} (empty: of none) by what was sent.  ERR_BAD_PARAMETER when
 * the one before is immutable and would change, or when the data are no policy.
 */
MUST_USE bool release_policy_fill(const struct release_policy_body *body,
    const struct release_policy *before, struct arena *arena, struct release_policy *out,
    struct error *err);

void release_policy_pack(const struct release_policy *policy, struct buf *out);
MUST_USE bool release_policy_unpack(view document, struct release_policy *out);

/* release_policy_write(json, policy): The member "release_policy". */
void release_policy_write(struct json *json, const struct release_policy *policy);

/*
 * release_policy_allows(data, authority, claims):
 * Does the policy let go of the key to an environment of which ${authority} says ${claims}, a JSON
 * object?  False for anything that is not understood.  Authorities are compared as they are
 * written, but for a slash at the end; a text "true" or "false" is equal to the truth value.
 */
bool release_policy_allows(view data, view authority, view claims);

#endif
