/*
 * What is told of certificates to anybody who asks.
 */
#include "certs/ca_store.h"

#include "crypto/hash.h"
#include "pki/ocsp.h"
#include "pki/spki.h"
#include "throttle/throttle.h"

#define GIVEN_SECONDS (CA_LIST_SECONDS / 2) /* for so long what was signed is given again */
#define CHANGES_BITS 16                     /* more than there can be in a second */

/* What an answer says; a text to tell the kinds apart, and what it is made from. */
static bool
digest_of(const struct vault *vault, const struct ca *ca, const char *kind, view about, view state,
    uint8_t out[SHA256_LEN], struct error *err)
{
	const view parts[] = { view_of(kind), uuid_view(&vault->id), ca->intermediate.spki, about,
		state };

	return sha256(parts, COUNT_OF(parts), out, err);
}

static bool
given_before(const struct ca_asking *asking, view what, struct buf *out)
{
	return asking->answers != NULL && ca_answers_get(asking->answers, what, asking->now, out);
}

static void
keep(const struct ca_asking *asking, view what, const struct buf *der)
{
	if (asking->answers != NULL)
		ca_answers_put(asking->answers, what, asking->now, asking->now + GIVEN_SECONDS,
		    buf_view(der));
}

/* The number has to grow: with the time, and with every change within a second. */
static bool
sign_list(struct tx *tx, const struct vault *vault, const struct ca_asking *asking, int64_t changes,
    struct buf *out, struct error *err)
{
	const struct ca_half *by = &asking->ca->intermediate;
	struct ca_signing signing = ca_signing_of(tx, vault, by, asking->ticket);
	const struct signer signer = ca_signer(&signing);
	uint8_t key_id[KEY_ID_LEN];
	struct crl_entry *entries;
	struct crl_wish wish = { .issuer = by->name,
		.number = (uint64_t)asking->now << CHANGES_BITS |
		    ((uint64_t)changes & ((1U << CHANGES_BITS) - 1)),
		.this_update = asking->now,
		.next_update = asking->now + CA_LIST_SECONDS };

	if (!ca_scan_revoked(tx, vault, asking->now, &entries, &wish.count, err) ||
	    !spki_key_id(by->spki, key_id, err))
		return false;
	wish.entries = entries;
	wish.issuer_key_id = (view){ (const char *)key_id, sizeof(key_id) };
	return crl_make(&wish, &signer, out, err);
}

bool
ca_crl(struct tx *tx, const struct vault *vault, const struct ca_asking *asking, struct buf *out,
    struct error *err)
{
	uint8_t digest[SHA256_LEN];
	const view what = { (const char *)digest, sizeof(digest) };
	int64_t changes;

	if (!ca_changes(tx, vault, TO_READ, &changes, err) ||
	    !digest_of(vault, asking->ca, "crl", V(""),
		(view){ (const char *)&changes, sizeof(changes) }, digest, err))
		return false;
	if (given_before(asking, what, out))
		return buf_ok(out) || error_memory(err);
	if (!throttle_charge(vault->throttle, THROTTLE_AUTHORITY, NULL, err) ||
	    !sign_list(tx, vault, asking, changes, out, err))
		return false;
	keep(asking, what, out);
	return true;
}

/* ${known}: the authority issued it. */
static bool
find_state(struct tx *tx, const struct vault *vault, const struct ocsp_id *id,
    struct ocsp_single *out, bool *known, struct error *err)
{
	struct ca_issued issued;
	struct ca_revoked revoked;
	bool found = false;

	*known = false;
	if (id->serial.len > CA_SERIAL_MAX)
		return true;
	if (!ca_get_issued(tx, vault, id->serial, &issued, known, err))
		return false;
	if (!*known)
		return true;
	if (!ca_get_revoked(tx, vault, id->serial, TO_READ, &revoked, &found, err))
		return false;
	*out = (struct ocsp_single){ .id = id, .state = found ? OCSP_REVOKED : OCSP_GOOD };
	if (found) {
		out->revoked = revoked.since;
		out->reason = revoked.reason;
	}
	return true;
}

static bool
refuse(enum ocsp_refusal why, struct buf *out, struct error *err)
{
	ocsp_refuse(why, out);
	return buf_ok(out) || error_memory(err);
}

static bool
sign_answer(struct tx *tx, const struct vault *vault, const struct ca_asking *asking,
    const struct ocsp_single *single, struct buf *out, struct error *err)
{
	const struct ca_half *by = &asking->ca->intermediate;
	struct ca_signing signing = ca_signing_of(tx, vault, by, asking->ticket);
	const struct signer signer = ca_signer(&signing);
	const struct ocsp_wish wish = { .issuer_spki = by->spki,
		.produced = asking->now,
		.this_update = asking->now,
		.next_update = asking->now + CA_LIST_SECONDS,
		.singles = single,
		.count = 1 };

	return ocsp_answer(&wish, &signer, out, err);
}

static bool
tell(struct tx *tx, const struct vault *vault, const struct ca_asking *asking,
    const struct ocsp_single *single, struct buf *out, bool *told, struct error *err)
{
	const int64_t state[] = { single->state, single->revoked, single->reason };
	uint8_t digest[SHA256_LEN];
	const view what = { (const char *)digest, sizeof(digest) };
	struct error problem;

	if (!digest_of(vault, asking->ca, "ocsp", single->id->der,
		(view){ (const char *)state, sizeof(state) }, digest, err))
		return false;
	*told = true;
	if (given_before(asking, what, out))
		return buf_ok(out) || error_memory(err);
	if (!throttle_charge(vault->throttle, THROTTLE_AUTHORITY, NULL, &problem)) {
		*told = false;
		return refuse(OCSP_TRY_LATER, out, err);
	}
	if (sign_answer(tx, vault, asking, single, out, &problem)) {
		keep(asking, what, out);
		return true;
	}
	*told = false;
	if (problem.code == ERR_UNAVAILABLE) /* the token is away */
		return refuse(OCSP_TRY_LATER, out, err);
	*err = problem;
	return false;
}

bool
ca_ocsp(struct tx *tx, const struct vault *vault, const struct ca_asking *asking, view request,
    struct buf *out, bool *told, struct error *err)
{
	const struct ca_half *by = &asking->ca->intermediate;
	struct ocsp_request asked;
	struct ocsp_single single;
	struct error problem;
	bool known;

	*told = false;
	if (!ocsp_read(request, tx->arena, &asked, &problem))
		return refuse(OCSP_MALFORMED, out, err);
	if (asked.count > 1 || !ocsp_id_is(&asked.ids[0], by->name, by->spki))
		return refuse(OCSP_UNAUTHORIZED, out, err);
	if (!find_state(tx, vault, &asked.ids[0], &single, &known, err))
		return false;
	return known ? tell(tx, vault, asking, &single, out, told, err)
		     : refuse(OCSP_UNAUTHORIZED, out, err);
}
