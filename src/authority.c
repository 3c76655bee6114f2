#include "authority.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/pack.h"
#include "crypto/hash.h"
#include "crypto/x509.h"

#include <stdio.h>
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
#define NAME_MAX_LEN 300

struct authority {
	struct signing_key *key;
	struct buf certificate, spki; /* DER */
	char name[128];
	struct signing_key *statement;
	struct buf statement_spki;
};

static bool
sign(void *ctx, view message, struct buf *out, struct error *err)
{
	return signing_key_sign_der(ctx, message, out, err);
}

static void
key_done(struct signing_key **key)
{
	signing_key_free(*key);
}

static bool
make_root(struct signing_key *key, const char *name, view spki, struct buf *der, struct error *err)
{
	int64_t now = clock_wall();
	const struct x509_wish wish = {
		.subject = name,
		.issuer = name,
		.authority = true,
		.not_before = now - BACKDATE,
		.not_after = now + ROOT_DAYS * DAY,
		.public_key = spki,
		.issuer_key = spki,
	};

	return x509_make(&wish, sign, key, der, err);
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
	    !arena_copy(tx->arena, name, &name) || !make_root(key, name.ptr, spki, &der, err))
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
	view name;

	private_key.bytes = unpack_bytes(&in);
	buf_add(&authority->spki, unpack_bytes(&in));
	buf_add(&authority->certificate, unpack_bytes(&in));
	name = unpack_bytes(&in);
	if (!fine || !unpack_end(&in) || name.len >= sizeof(authority->name))
		return error_set(err, ERR_CORRUPT, "the authority's document can't be read");
	memcpy(authority->name, name.ptr, name.len);
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
	return x509_pem(buf_view(&authority->certificate), out, err);
}

bool
authority_issue(struct authority *authority, const char *domain, struct buf *chain, struct buf *key,
    int64_t *expires, struct error *err)
{
	/* Each ends in "%s": the domain. */
	static const char *const patterns[] = { "*.vault.%s", "*.managedhsm.%s", "management.%s",
		"login.%s", "graph.%s", "portal.%s", "api.loganalytics.%s", "%s" };
	AUTO(buf_free) struct buf spki = { 0 }, der = { 0 };
	char names[COUNT_OF(patterns)][NAME_MAX_LEN];
	const char *dns[COUNT_OF(patterns) + 1] = { 0 };
	int64_t now = clock_wall();
	struct x509_wish wish = {
		.subject = "Strongroom",
		.issuer = authority->name,
		.not_before = now - BACKDATE,
		.not_after = now + LEAF_DAYS * DAY,
		.dns = dns,
		.issuer_key = buf_view(&authority->spki),
	};

	for (size_t i = 0; i < COUNT_OF(patterns); i++) {
		view pattern = view_of(patterns[i]);

		(void)snprintf(names[i], sizeof(names[i]), "%.*s%s", (int)pattern.len - 2,
		    pattern.ptr, domain);
		dns[i] = names[i];
	}
	if (!x509_leaf_key(key, &spki, err))
		return false;
	wish.public_key = buf_view(&spki);
	if (!x509_make(&wish, sign, authority->key, &der, err) ||
	    !x509_pem(buf_view(&der), chain, err) || !authority_pem(authority, chain, err))
		return false;
	*expires = wish.not_after;
	return true;
}

/* Made for every statement: nobody has to renew it, and it tells when the statement was made. */
static bool
statement_certificate(const struct authority *authority, struct buf *der, struct error *err)
{
	int64_t now = clock_wall();
	const struct x509_wish wish = {
		.subject = "Strongroom statements",
		.issuer = authority->name,
		.signer = true,
		.not_before = now - BACKDATE,
		.not_after = now + STATEMENT_DAYS * DAY,
		.public_key = buf_view(&authority->statement_spki),
		.issuer_key = buf_view(&authority->spki),
	};

	return x509_make(&wish, sign, authority->key, der, err);
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
