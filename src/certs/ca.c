#include "certs/ca_store.h"

#include "base/log.h"
#include "pki/issue.h"
#include "pki/read.h"
#include "pki/subject.h"

#include <string.h>

#define YEAR ((int64_t)365 * 86400)
#define ROOT_YEARS 30
#define INTERMEDIATE_YEARS 10
#define BACKDATE 3600 /* seconds: clients' clocks may be behind */
#define PUBLIC_USAGES (USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN | USAGE_DIGITAL_SIGNATURE)

static bool
sign(void *ctx, view message, view digest, struct buf *out, struct error *err)
{
	const struct ca_signing *signing = ctx;
	const struct key_message in = { .value = digest };
	struct key_result result;

	(void)message;
	if (!material_use(signing->keyring, signing->key, signing->ticket, signing->material,
		key_algorithm_find(V("ES256")), KEY_SIGN, &in, signing->arena, &result, err))
		return false;
	buf_add(out, result.value);
	return buf_ok(out) || error_memory(err);
}

struct signer
ca_signer(struct ca_signing *signing)
{
	return (
	    struct signer){ .alg = signer_alg(false, V("P-256")), .sign = sign, .ctx = signing };
}

struct ca_signing
ca_signing_of(struct tx *tx, const struct vault *vault, const struct ca_half *half, uint64_t ticket)
{
	return (struct ca_signing){ tx->keyring, vault->key, ticket, &half->material, tx->arena };
}

static bool
make_half(struct tx *tx, const struct vault *vault, bool hsm, const char *what, struct ca_half *out,
    struct error *err)
{
	const struct key_spec spec = { .kind = KEY_EC, .curve = KEY_P256, .bits = 256, .hsm = hsm };
	AUTO(buf_free) struct buf spki = { 0 };
	view text;

	if (!material_make(tx->keyring, vault->key, &spec, tx->arena, &out->material, err) ||
	    !material_keep(tx, uuid_view(&vault->id), V("authority"), &out->material, err))
		return false;
	if (!spki_from_ec(V("P-256"), out->material.public.x, out->material.public.y, &spki))
		return error_set(err, ERR_INTERNAL, "an authority's key is none");
	/* A vault's name may come again: the id tells them apart. */
	if (!buf_ok(&spki) || !arena_copy(tx->arena, buf_view(&spki), &out->spki) ||
	    !arena_print(tx->arena, &text, "CN=%.*s %.8s %s, O=Strongroom", VIEW_ARG(vault->name),
		vault->id.text, what))
		return error_memory(err);
	return subject_parse(text, tx->arena, &out->name, err);
}

static bool
keep_certificate(struct tx *tx, const struct buf *der, view *out, struct error *err)
{
	return (buf_ok(der) && arena_copy(tx->arena, buf_view(der), out)) || error_memory(err);
}

static bool
certify(struct tx *tx, const struct vault *vault, const struct ca_half *by, struct ca_half *half,
    int path_length, int64_t now, int64_t not_after, struct error *err)
{
	AUTO(buf_free) struct buf der = { 0 };
	const struct profile profile = { .subject = half->name,
		.usages = PUBLIC_USAGES,
		.ca = true,
		.path_length = path_length };
	struct ca_signing signing = ca_signing_of(tx, vault, by, 0);
	const struct signer signer = ca_signer(&signing);
	uint8_t key_id[KEY_ID_LEN];
	struct x509_wish wish = { .profile = &profile,
		.spki = half->spki,
		.not_before = now - BACKDATE,
		.not_after = not_after };

	if (by != half) {
		if (!spki_key_id(by->spki, key_id, err))
			return false;
		wish.issuer = by->name;
		wish.issuer_key_id = (view){ (const char *)key_id, sizeof(key_id) };
	}
	return x509_issue(&wish, &signer, &der, err) &&
	    keep_certificate(tx, &der, &half->certificate, err);
}

/*
 * Once half of its life is over the intermediate gets another certificate, so that what it issues
 * need not end early.  Its key and name stay: by either certificate it signed what it signed, the
 * lists and answers too.  It ends with the root at the latest; a year is the least that is worth
 * it.
 */
static bool
renew(struct tx *tx, const struct vault *vault, int64_t now, struct ca *ca, struct error *err)
{
	struct x509 root, own;
	int64_t end = now + INTERMEDIATE_YEARS * YEAR;

	if (!x509_read(ca->root.certificate, tx->arena, &root, err) ||
	    !x509_read(ca->intermediate.certificate, tx->arena, &own, err))
		return false;
	if (root.not_after - now < YEAR)
		log_line(LOG_WARN, "authority.ends",
		    "the root of the authority of vault %.*s ends in %d days, and with it all that "
		    "it issues",
		    VIEW_ARG(vault->name),
		    root.not_after > now ? (int)((root.not_after - now) / 86400) : 0);
	if (end > root.not_after)
		end = root.not_after;
	if (now < own.not_before + (own.not_after - own.not_before) / 2 ||
	    end - own.not_after < YEAR)
		return true;
	return certify(tx, vault, &ca->root, &ca->intermediate, 0, now, end, err) &&
	    ca_write(tx, vault, ca, err);
}

bool
ca_require(struct tx *tx, const struct vault *vault, bool hsm, int64_t now, struct ca *out,
    struct error *err)
{
	bool found;

	if (!ca_read(tx, vault, TO_CHANGE, out, &found, err))
		return false;
	if (found)
		return renew(tx, vault, now, out, err);
	*out = (struct ca){ 0 };
	return make_half(tx, vault, hsm, "root", &out->root, err) &&
	    make_half(tx, vault, hsm, "intermediate", &out->intermediate, err) &&
	    certify(tx, vault, &out->root, &out->root, 1, now, now + ROOT_YEARS * YEAR, err) &&
	    certify(tx, vault, &out->root, &out->intermediate, 0, now,
		now + INTERMEDIATE_YEARS * YEAR, err) &&
	    ca_write(tx, vault, out, err);
}

static bool
add_urls(struct arena *arena, view base, struct profile *profile, struct error *err)
{
	return (arena_print(arena, &profile->crl_url, "%.*s/authority/crl", VIEW_ARG(base)) &&
		   arena_print(arena, &profile->ocsp_url, "%.*s/authority/ocsp", VIEW_ARG(base)) &&
		   arena_print(arena, &profile->issuer_url, "%.*s/authority/intermediate",
		       VIEW_ARG(base))) ||
	    error_memory(err);
}

static bool
check_request(const struct csr *csr, struct error *err)
{
	if (csr->profile.ca || (csr->profile.usages & (USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN)) != 0)
		return error_set(err, ERR_BAD_PARAMETER, "The authority makes no authorities.");
	return spki_is_vault(&csr->key) ||
	    error_set(err, ERR_BAD_PARAMETER, "The authority does not certify such a key.");
}

bool
ca_issue(struct tx *tx, const struct vault *vault, const struct ca *ca, const struct ca_wish *wish,
    struct views *chain, struct error *err)
{
	AUTO(buf_free) struct buf der = { 0 };
	struct ca_signing signing = ca_signing_of(tx, vault, &ca->intermediate, 0);
	const struct signer signer = ca_signer(&signing);
	uint8_t key_id[KEY_ID_LEN], serial[SERIAL_LEN];
	struct x509 own;
	struct csr csr;
	struct x509_wish what;

	if (!csr_read(wish->csr, tx->arena, &csr, err) || !check_request(&csr, err) ||
	    !add_urls(tx->arena, wish->base, &csr.profile, err) ||
	    !spki_key_id(ca->intermediate.spki, key_id, err) ||
	    !x509_read(ca->intermediate.certificate, tx->arena, &own, err))
		return false;
	if (own.not_after <= wish->not_before)
		return error_set(err, ERR_BAD_PARAMETER, "The vault's authority has ended.");
	x509_serial(serial);
	what = (struct x509_wish){
		.profile = &csr.profile,
		.spki = csr.spki,
		.not_before = wish->not_before,
		.not_after = wish->not_after < own.not_after ? wish->not_after : own.not_after,
		.serial = { (const char *)serial, sizeof(serial) },
		.issuer = ca->intermediate.name,
		.issuer_key_id = { (const char *)key_id, sizeof(key_id) },
	};
	chain->items = arena_alloc(tx->arena, CA_CHAIN_MAX * sizeof(*chain->items));
	chain->count = CA_CHAIN_MAX;
	if (chain->items == NULL)
		return error_memory(err);
	return x509_issue(&what, &signer, &der, err) &&
	    keep_certificate(tx, &der, &chain->items[0], err) &&
	    (arena_copy(tx->arena, ca->intermediate.certificate, &chain->items[1]) ||
		error_memory(err)) &&
	    ca_put_issued(tx, vault, what.serial, wish->certificate, what.not_after, err) &&
	    ca_forget_old(tx, vault, what.serial, wish->not_before, err);
}

/* What has ended is on no list, and makes room when there is none. */
static bool
make_room(struct tx *tx, const struct vault *vault, int64_t now, struct error *err)
{
	size_t count, dropped;

	if (!ca_count_revoked(tx, vault, &count, err))
		return false;
	if (count < CA_REVOKED_MAX)
		return true;
	if (!ca_drop_ended(tx, vault, now, &dropped, err))
		return false;
	return dropped > 0 ||
	    error_set(err, ERR_CONFLICT,
		"The vault's authority has revoked %d certificates that have not expired: no more "
		"fit its list.",
		CA_REVOKED_MAX);
}

bool
ca_revoke(struct tx *tx, const struct vault *vault, view serial, enum crl_reason reason,
    int64_t now, struct error *err)
{
	struct ca_revoked revoked = { .since = now, .reason = reason };
	uint8_t bytes[CA_SERIAL_MAX];
	struct ca_issued issued;
	bool found = false;
	view number;

	if (serial.len > 2 * sizeof(bytes) || !hex_decode(serial, bytes))
		return error_set(err, ERR_BAD_PARAMETER, "Property serial has invalid value\r\n");
	number = (view){ (const char *)bytes, serial.len / 2 };
	if (!ca_get_issued(tx, vault, number, &issued, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_CERTIFICATE_NOT_FOUND,
		    "The vault's authority issued no certificate of serial %.*s.",
		    VIEW_ARG(serial));
	revoked.not_after = issued.not_after;
	if (!ca_get_revoked(tx, vault, number, TO_CHANGE, &revoked, &found, err))
		return false;
	return found ||
	    (make_room(tx, vault, now, err) && ca_put_revoked(tx, vault, number, &revoked, err) &&
		ca_count_change(tx, vault, err));
}
