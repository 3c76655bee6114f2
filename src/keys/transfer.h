/*
 * Key transfer blobs: how a key is brought from outside without anybody on the way seeing it.  Its
 * owner's HSM wraps it for a key exchange key of this vault.  Reference of the data plane, section
 * 9.7; the blob's form is the one that vendors' tools write (schema_version 1.0.0).
 */
#ifndef KEYS_TRANSFER_H
#define KEYS_TRANSFER_H

#include "keys/key.h"

#define TRANSFER_TEXT_MAX ((size_t)16 * 1024) /* RSA-4096 under RSA-4096 takes 5.5 KB */

/* All of it lies in the arena. */
struct transfer {
	view kid; /* of the key exchange key, as the blob has it */
	view wrapped;
};

/*
 * transfer_read(text, arena, out, err):
 * Take a blob apart: base64url or base64 of its JSON.  ERR_BAD_PARAMETER says what is wrong with
 * its form; what is wrapped in it only the token can tell.
 */
MUST_USE bool transfer_read(view text, struct arena *arena, struct transfer *out,
    struct error *err);

/*
 * transfer_exchange(r, transfer, out, err):
 * The key exchange key that the blob was made for: a version of a live and enabled key of this
 * vault that does nothing but unwrap.  ERR_BAD_PARAMETER, with one message, when there is none.
 */
MUST_USE bool transfer_exchange(struct request *r, const struct transfer *transfer, struct key *out,
    struct error *err);

#endif
