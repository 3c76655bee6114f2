/*
 * What the store remembers of the log, so that the log alone can't be cut unnoticed: the audit key
 * ("audit/key", "audit/public") and the place the last sync reached ("audit/head").
 */
#ifndef AUDIT_REMEMBERED_H
#define AUDIT_REMEMBERED_H

#include "audit/audit.h"
#include "crypto/publickey.h"

struct remembered {
	struct audit_head at;
	uint64_t journal; /* the highest number of the store's journal in the log up to there */
	uint64_t segment; /* the first number of the segment it lies in, and where its line ends */
	uint64_t offset;
};

/*
 * remembered_open(store, keyring, out, err):
 * Load the audit key and what is remembered; at the first time, make the key and remember an empty
 * log.  The caller frees what ${out} holds, also after a failure (${out} comes zeroed).
 */
struct audit_keys {
	struct signing_key *signing;
	struct public_key *verifying;
	struct remembered head;
};
MUST_USE bool remembered_open(struct store *store, struct keyring *keyring, struct audit_keys *out,
    struct error *err);
void audit_keys_free(struct audit_keys *keys);

/* remembered_keep(store, keyring, head, err): Durable then. Not on the store's thread. */
MUST_USE bool remembered_keep(struct store *store, struct keyring *keyring,
    const struct remembered *head, struct error *err);

/* remembered_read(reader, keyring, out, err): As it is in the snapshot of ${reader}. */
MUST_USE bool remembered_read(struct store_reader *reader, struct keyring *keyring,
    struct remembered *out, struct error *err);

#endif
