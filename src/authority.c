#include "authority.h"

#include "base/address.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/pack.h"
#include "crypto/hash.h"
#include "crypto/keypair.h"
#include "pki/issue.h"
#include "pki/pem.h"
#include "pki/read.h"
#include "pki/subject.h"

#include <stdlib.h>
#include <string.h>

#define PATH "ca/root"
#define KEY_NAME "ca/root"
#define STATEMENT_PATH "ca/statement"
#define STATEMENT_NAME "ca/statement"
#define STATEMENT_DAYS 1
#define FORMAT 1
#define DAY ((int64_t)86400)
#define ROOT_DAYS 3650
#define LEAF_DAYS 7
#define BACKDATE 3600 /* seconds: clients' clocks may be behind */
#define ARENA_MAX 65536

struct authority {
	struct signing_key *key;
	struct buf certificate, spki; /* DER */
	struct signing_key *statement;
	struct buf statement_spki;
};

static bool
sign(void *ctx, view message, view digest, struct buf *out, struct error *err)
{
	(void)digest;
	return signing_key_sign(ctx, SIGNATURE_ES256, message, out, err);
}

static void
key_done(struct signing_key **key)
{
	signing_key_free(*key);
}

static bool
common_name(view name, struct arena *arena, view *subject, struct error *err)
{
	view text;

	if (!arena_print(arena, &text, "CN=%.*s", VIEW_ARG(name)))
		return error_memory(err);
	return subject_parse(text, arena, subject, err);
}

static bool
make_root(struct signing_key *key, view name, view spki, struct arena *arena, struct buf *der,
    struct error *err)
{
	const struct signer signer = { SIGNATURE_ES256, sign, key };
	struct profile profile = { .usages = USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN, .ca = true };
	int64_t now = clock_wall();
	const struct x509_wish wish = {
		.profile = &profile,
		.spki = spki,
		.not_before = now - BACKDATE,
		.not_after = now + ROOT_DAYS * DAY,
	};

	return common_name(name, arena, &profile.subject, err) &&
	    x509_issue(&wish, &signer, der, err);
}

bool
authority_create(struct tx *tx, view name, struct error *err)
{
	AUTO(key_done) struct signing_key *key = NULL;
	AUTO(buf_free) struct buf document = { 0 }, der = { 0 };
	struct sealed private_key;
	view spki;

	if (!keyring_new_signing_key(tx->keyring, SIGNING_P256, V(KEY_NAME), tx->arena,
		&private_key, &spki, err) ||
	    !keyring_load_signing_key(tx->keyring, V(KEY_NAME), &private_key, &key, err) ||
	    !make_root(key, name, spki, tx->arena, &der, err))
		return false;
	pack_u8(&document, FORMAT);
	pack_bytes(&document, private_key.bytes);
	pack_bytes(&document, spki);
	pack_bytes(&document, buf_view(&der));
	pack_bytes(&document, name);
	return tx_put(tx, keyring_system(tx->keyring), V(PATH), &document, err);
}

static bool
decode(struct keyring *keyring, view document, struct authority *authority, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT;
	struct sealed private_key;

	private_key.bytes = unpack_bytes(&in);
	buf_add(&authority->spki, unpack_bytes(&in));
	buf_add(&authority->certificate, unpack_bytes(&in));
	(void)unpack_bytes(&in); /* its name, which the certificate says, too */
	if (!fine || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "the authority's document can't be read");
	if (!buf_ok(&authority->spki) || !buf_ok(&authority->certificate))
		return error_memory(err);
	return keyring_load_signing_key(keyring, V(KEY_NAME), &private_key, &authority->key, err);
}

static bool
statement_decode(struct keyring *keyring, view document, struct authority *authority,
    struct error *err)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT;
	struct sealed private_key;

	private_key.bytes = unpack_bytes(&in);
	buf_add(&authority->statement_spki, unpack_bytes(&in));
	if (!fine || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "the key for statements can't be read");
	if (!buf_ok(&authority->statement_spki))
		return error_memory(err);
	return keyring_load_signing_key(keyring, V(STATEMENT_NAME), &private_key,
	    &authority->statement, err);
}

static bool
statement_make(struct tx *tx, struct buf *document, struct error *err)
{
	struct sealed private_key;
	view spki;

	if (!keyring_new_signing_key(tx->keyring, SIGNING_RSA_2048, V(STATEMENT_NAME), tx->arena,
		&private_key, &spki, err))
		return false;
	pack_u8(document, FORMAT);
	pack_bytes(document, private_key.bytes);
	pack_bytes(document, spki);
	return buf_ok(document) || error_memory(err);
}

/* Installations from before there were statements get their key now. */
static bool
statement_open(struct tx *tx, struct authority *authority, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	AUTO(buf_free) struct buf fresh = { 0 };
	struct vault_key *system = keyring_system(tx->keyring);

	if (!tx_take(tx, system, V(STATEMENT_PATH), &document, err))
		return false;
	if (document != NULL)
		return statement_decode(tx->keyring, plain_view(document), authority, err);
	return statement_make(tx, &fresh, err) &&
	    statement_decode(tx->keyring, buf_view(&fresh), authority, err) &&
	    tx_put(tx, system, V(STATEMENT_PATH), &fresh, err);
}

bool
authority_open(struct tx *tx, struct authority **out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct authority *authority;

	if (!tx_get(tx, keyring_system(tx->keyring), V(PATH), &document, err))
		return false;
	if (document == NULL)
		return error_set(err, ERR_CORRUPT, "the installation has no authority");
	authority = calloc(1, sizeof(*authority));
	if (authority == NULL)
		return error_memory(err);
	if (!decode(tx->keyring, plain_view(document), authority, err) ||
	    !statement_open(tx, authority, err)) {
		authority_free(authority);
		return false;
	}
	*out = authority;
	return true;
}

void
authority_free(struct authority *authority)
{
	if (authority == NULL)
		return;
	signing_key_free(authority->key);
	buf_free(&authority->certificate);
	buf_free(&authority->spki);
	signing_key_free(authority->statement);
	buf_free(&authority->statement_spki);
	free(authority);
}

bool
authority_pem(const struct authority *authority, struct buf *out, struct error *err)
{
	pem_write(PEM_CERTIFICATE, buf_view(&authority->certificate), out);
	return buf_ok(out) || error_memory(err);
}

/* All names an installation of the domain has. */
static bool
add_names(view domain, struct arena *arena, struct alt_names *out, struct error *err)
{
	static const view patterns[] = { V_INIT("*.vault."), V_INIT("*.managedhsm."),
		V_INIT("management."), V_INIT("login."), V_INIT("graph."), V_INIT("portal."),
		V_INIT("api.loganalytics."), V_INIT("") };
	view *names = arena_alloc(arena, sizeof(view) * COUNT_OF(patterns));
	struct address address;

	if (names == NULL)
		return error_memory(err);
	for (size_t i = 0; i < COUNT_OF(patterns); i++) {
		const view parts[] = { patterns[i], domain };

		if (!arena_join(arena, parts, COUNT_OF(parts), &names[i]))
			return error_memory(err);
	}
	out->of[ALT_DNS] = (struct views){ names, COUNT_OF(patterns) };
	if (address_parse(domain, &address)) {
		out->of[ALT_DNS].count--;
		out->of[ALT_IP] = (struct views){ &names[COUNT_OF(patterns) - 1], 1 };
	}
	return true;
}

/* By the root, from an hour ago on.  ${profile} gets its subject here. */
static bool
issue(const struct authority *authority, view name, struct profile *profile, view spki,
    int64_t not_after, struct arena *arena, struct buf *der, struct error *err)
{
	const struct signer signer = { SIGNATURE_ES256, sign, authority->key };
	struct x509 root;
	struct x509_wish wish = {
		.profile = profile,
		.spki = spki,
		.not_before = clock_wall() - BACKDATE,
		.not_after = not_after,
	};

	if (!x509_read(buf_view(&authority->certificate), arena, &root, err) ||
	    !common_name(name, arena, &profile->subject, err))
		return false;
	wish.issuer = root.profile.subject;
	wish.issuer_key_id = root.key_id;
	return x509_issue(&wish, &signer, der, err);
}

bool
authority_issue(struct authority *authority, const char *domain, struct buf *chain, struct buf *key,
    int64_t *expires, struct error *err)
{
	static view usage = V_INIT("1.3.6.1.5.5.7.3.1"); /* a TLS server */
	struct profile profile = { .usages = USAGE_DIGITAL_SIGNATURE, .ekus = { &usage, 1 } };
	int64_t not_after = clock_wall() + LEAF_DAYS * DAY;
	AUTO(buf_free) struct buf spki = { 0 }, der = { 0 };
	AUTO(arena_free) struct arena arena;

	arena_init(&arena, ARENA_MAX);
	if (!keypair_new(key, &spki, err) ||
	    !add_names(view_of(domain), &arena, &profile.alt, err) ||
	    !issue(authority, V("Strongroom"), &profile, buf_view(&spki), not_after, &arena, &der,
		err))
		return false;
	pem_write(PEM_CERTIFICATE, buf_view(&der), chain);
	*expires = not_after;
	return authority_pem(authority, chain, err);
}

/* Made for every statement: nobody has to renew it, and it tells when the statement was made. */
static bool
statement_certificate(const struct authority *authority, struct buf *der, struct error *err)
{
	struct profile profile = { .usages = USAGE_DIGITAL_SIGNATURE };
	AUTO(arena_free) struct arena arena;

	arena_init(&arena, ARENA_MAX);
	return issue(authority, V("Strongroom statements"), &profile,
	    buf_view(&authority->statement_spki), clock_wall() + STATEMENT_DAYS * DAY, &arena, der,
	    err);
}

static void
write_certificate(struct json *json, view der)
{
	AUTO(buf_free) struct buf text = { 0 };

	base64_encode(BASE64, der, &text);
	json_text(json, NULL, buf_view(&text));
	if (!buf_ok(&text))
		json->out->failed = true;
}

/* RFC 7515, section 4.1.6: the certificates are in base64 with padding. */
static bool
statement_header(const struct authority *authority, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf der = { 0 };
	struct json json = json_to(out);
	view spki = buf_view(&authority->statement_spki);
	uint8_t digest[SHA256_LEN];

	if (!statement_certificate(authority, &der, err) || !sha256(&spki, 1, digest, err))
		return false;
	json_open(&json, '{');
	json_text(&json, "alg", V("RS256"));
	json_bytes(&json, "kid", (view){ (const char *)digest, sizeof(digest) });
	json_text(&json, "typ", V("JWT"));
	json_open_in(&json, "x5c", '[');
	write_certificate(&json, buf_view(&der));
	write_certificate(&json, buf_view(&authority->certificate));
	json_close(&json, ']');
	json_close(&json, '}');
	return buf_ok(out) || error_memory(err);
}

bool
authority_sign(struct authority *authority, view payload, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf header = { 0 }, message = { 0 }, signature = { 0 };

	if (!statement_header(authority, &header, err))
		return false;
	base64_encode(BASE64URL, buf_view(&header), &message);
	buf_add_char(&message, '.');
	base64_encode(BASE64URL, payload, &message);
	if (!buf_ok(&message))
		return error_memory(err);
	if (!signing_key_sign(authority->statement, SIGNATURE_RS256, buf_view(&message), &signature,
		err))
		return false;
	buf_add(out, buf_view(&message));
	buf_add_char(out, '.');
	base64_encode(BASE64URL, buf_view(&signature), out);
	return (buf_ok(&signature) && buf_ok(out)) || error_memory(err);
}
