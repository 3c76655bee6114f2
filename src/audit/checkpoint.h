/*
 * Checkpoints: lines in which the installation's audit key signs the line before, and by its chain
 * all lines up to there.  The signature is ES256 over the text
 * `strongroom:audit-checkpoint:<seq>:<chain>`.
 */
#ifndef AUDIT_CHECKPOINT_H
#define AUDIT_CHECKPOINT_H

#include "audit/audit.h"
#include "crypto/publickey.h"

/* checkpoint_record(key, at, out, err): Append the record that signs the log up to ${at}. */
MUST_USE bool checkpoint_record(struct signing_key *key, const struct audit_head *at,
    struct buf *out, struct error *err);

/* checkpoint_shaped(record): Does it claim to be a checkpoint? */
bool checkpoint_shaped(view record);

/*
 * checkpoint_check(record, at, key, err):
 * Is ${record} (without its last '}') a checkpoint of ${at}, by ${key}?  If not, ERR_CORRUPT.
 */
MUST_USE bool checkpoint_check(view record, const struct audit_head *at,
    const struct public_key *key, struct error *err);

#endif
