/*
 * Passwords of people: Argon2id (RFC 9106), as libargon2 has it.
 */
#ifndef CRYPTO_PASSWORD_H
#define CRYPTO_PASSWORD_H

#include "base/buf.h"
#include "base/error.h"
#include "base/plain.h"

/*
 * password_hash(password, out, err):
 * Append Argon2's text of it ("$argon2id$v=19$m=19456,t=2,p=1$…$…") with a salt of its own.  Burns
 * some 20 ms and 19 MB: not on an event loop.
 */
MUST_USE bool password_hash(view password, struct buf *out, struct error *err);

/*
 * password_matches(password, hash, out, err):
 * Into ${out}, in the time a right one takes.  Fails only for want of memory, of which it needs
 * some 19 MB.
 */
MUST_USE bool password_matches(view password, view hash, bool *out, struct error *err);

/* password_waste(password, err): Take as long and fail as a check, for a user who is not there. */
MUST_USE bool password_waste(view password, struct error *err);

#endif
