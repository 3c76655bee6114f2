/*
 * An authority's documents.  Private to certs/ca*.c.
 */
#ifndef CERTS_CA_STORE_H
#define CERTS_CA_STORE_H

#include "certs/ca.h"

#define CA_SERIAL_MAX 20   /* bytes */
#define CA_DROPPED_MAX 500 /* in a commit */

/*
 * How many documents of others an issuance looks at, for those that ended so long ago that nobody
 * asks for them: at more than one, so that they can't become more than a part of all.
 */
#define CA_LOOKED_AT 8

struct ca_issued {
	int64_t not_after;
};
struct ca_revoked {
	int64_t since, not_after;
	enum crl_reason reason;
};

MUST_USE bool ca_write(struct tx *tx, const struct vault *vault, const struct ca *ca,
    struct error *err);

/* By serial: bytes, big-endian. */
MUST_USE bool ca_put_issued(struct tx *tx, const struct vault *vault, view serial, view certificate,
    int64_t not_after, struct error *err);
MUST_USE bool ca_get_issued(struct tx *tx, const struct vault *vault, view serial,
    struct ca_issued *out, bool *found, struct error *err);
/*
 * ca_forget_old(tx, vault, serial, now, err):
 * Of the next few behind ${serial}, which is random, those that ended CA_KEPT_SECONDS before ${now}
 * are deleted, and that they were revoked.
 */
MUST_USE bool ca_forget_old(struct tx *tx, const struct vault *vault, view serial, int64_t now,
    struct error *err);
MUST_USE bool ca_put_revoked(struct tx *tx, const struct vault *vault, view serial,
    const struct ca_revoked *revoked, struct error *err);
MUST_USE bool ca_get_revoked(struct tx *tx, const struct vault *vault, view serial,
    enum intent intent, struct ca_revoked *out, bool *found, struct error *err);

/* ca_scan_revoked: As CRL entries, in the arena, those that ended before ${now} left out. */
MUST_USE bool ca_scan_revoked(struct tx *tx, const struct vault *vault, int64_t now,
    struct crl_entry **out, size_t *count, struct error *err);

/* ca_count_revoked: How many documents there are, CA_REVOKED_MAX at most. */
MUST_USE bool ca_count_revoked(struct tx *tx, const struct vault *vault, size_t *out,
    struct error *err);

/*
 * ca_drop_ended(tx, vault, now, dropped, err):
 * Delete what there is of certificates that were revoked and ended before ${now}: CA_DROPPED_MAX at
 * most, how many in ${dropped}.
 */
MUST_USE bool ca_drop_ended(struct tx *tx, const struct vault *vault, int64_t now, size_t *dropped,
    struct error *err);

/*
 * ca_count_change: The vault's list of what is revoked is another one now.
 * ca_changes: How often that was.
 */
MUST_USE bool ca_count_change(struct tx *tx, const struct vault *vault, struct error *err);
MUST_USE bool ca_changes(struct tx *tx, const struct vault *vault, enum intent intent, int64_t *out,
    struct error *err);

/* ca_signer: Signs with one half's key; the struct is the signer's context. */
struct ca_signing {
	struct keyring *keyring;
	struct vault_key *key;
	uint64_t ticket;
	const struct material *material;
	struct arena *arena;
};
struct signer ca_signer(struct ca_signing *signing);

/* ${ticket}: from before the snapshot; 0: it is not at hand, and the key is not cached. */
struct ca_signing ca_signing_of(struct tx *tx, const struct vault *vault,
    const struct ca_half *half, uint64_t ticket);

#endif
