/*
 * Which keys may be released, and by which policy.  Both are the key's: every version has them, and
 * what counts is what the latest version says, so that a policy that was tightened holds for older
 * versions, too.  Reference of the data plane, sections 5.2 and 9.7.
 */
#ifndef KEYS_RELEASE_H
#define KEYS_RELEASE_H

#include "keys/key_body.h"

/*
 * release_settle(r, name, body, intent, key, err):
 * Fill in whether a version that is added to the key ${name} (which may be new) is exportable, and
 * its policy: what was sent, else what the latest version has.  ERR_BAD_PARAMETER, with the
 * original's codes.
 */
MUST_USE bool release_settle(struct request *r, view name, const struct key_common_body *body,
    enum intent intent, struct key *key, struct error *err);

/* release_amend(r, body, key, err): The same for a version that is changed; the latest only. */
MUST_USE bool release_amend(struct request *r, const struct key_common_body *body, struct key *key,
    struct error *err);

/* release_inherit(before, key, err): What a successor has of the version before it, borrowed. */
MUST_USE bool release_inherit(const struct version *before, struct key *key, struct error *err);

/* release_show(r, object, version, err): Have ${version} show the policy that counts. */
MUST_USE bool release_show(struct request *r, const struct object *object, struct version *version,
    struct error *err);

#endif
