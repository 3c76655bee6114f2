#include "crypto/hash.h"
#include "crypto/signature.h"
#include "crypto/pkcs8.h"
#include "keyring/ring.h"

#include <openssl/rsa.h>
#include <stdlib.h>

struct signing_key {
	EVP_PKEY *pkey;
	/* Those that fit the key's kind; never changed. */
	EVP_PKEY_CTX *ctxs[SIGNATURE_ES256 + 1], *checkers[SIGNATURE_ES256 + 1];
};

static void
signing_done(struct signing_key **key)
{
	signing_key_free(*key);
}

void
signing_key_free(struct signing_key *key)
{
	if (key == NULL)
		return;
	for (size_t i = 0; i < COUNT_OF(key->ctxs); i++) {
		EVP_PKEY_CTX_free(key->ctxs[i]);
		EVP_PKEY_CTX_free(key->checkers[i]);
	}
	EVP_PKEY_free(key->pkey);
	free(key);
}

static EVP_PKEY *
generate(enum signing_kind kind)
{
	switch (kind) {
	case SIGNING_RSA_2048: return EVP_RSA_gen(2048U);
	case SIGNING_P256: return EVP_EC_gen("P-256");
	}
	return NULL;
}

static bool
seal(struct keyring *keyring, view name, const struct plain *der, struct arena *arena,
    struct sealed *out, struct error *err)
{
	size_t len = plain_view(der).len + SEALED_OVERHEAD;
	char *bytes = arena_alloc(arena, len);

	if (bytes == NULL)
		return error_memory(err);
	if (!vault_key_seal(keyring->system, PURPOSE_SIGNING_KEY, plain_view(der), name, bytes,
		err))
		return false;
	out->bytes = (view){ bytes, len };
	return true;
}

bool
keyring_new_signing_key(struct keyring *keyring, enum signing_kind kind, view name,
    struct arena *arena, struct sealed *private_key, view *spki, struct error *err)
{
	AUTO(pkey_done) EVP_PKEY *pkey = generate(kind);
	AUTO(plain_done) struct plain *der = NULL;
	AUTO(buf_free) struct buf public = { 0 };
	struct sealed sealed;
	view copy;

	if (pkey == NULL)
		return openssl_unable(err);
	if (!pkcs8_encode(pkey, &der, err) || !spki_encode(pkey, &public, err) ||
	    !seal(keyring, name, der, arena, &sealed, err))
		return false;
	if (!arena_copy(arena, buf_view(&public), &copy))
		return error_memory(err);
	*private_key = sealed;
	*spki = copy;
	return true;
}

static bool
prepare(struct signing_key *key, struct error *err)
{
	static const struct {
		enum signature_alg alg;
		const char *kind;
		bool checked; /* see signature_make */
	} uses[] = {
		{ SIGNATURE_RS256, "RSA", true },
		{ SIGNATURE_PS256, "RSA", true },
		{ SIGNATURE_ES256, "EC", false },
	};

	for (size_t i = 0; i < COUNT_OF(uses); i++) {
		const enum signature_alg alg = uses[i].alg;

		if (!EVP_PKEY_is_a(key->pkey, uses[i].kind))
			continue;
		if (!signature_ctx(key->pkey, alg, SIGNATURE_SIGN, &key->ctxs[alg], err) ||
		    (uses[i].checked &&
			!signature_ctx(key->pkey, alg, SIGNATURE_VERIFY, &key->checkers[alg], err)))
			return false;
	}
	return true;
}

bool
keyring_load_signing_key(struct keyring *keyring, view name, const struct sealed *private_key,
    struct signing_key **out, struct error *err)
{
	AUTO(plain_done) struct plain *der = NULL;
	AUTO(signing_done) struct signing_key *key = calloc(1, sizeof(*key));

	if (key == NULL)
		return error_memory(err);
	if (!vault_key_open(keyring->system, PURPOSE_SIGNING_KEY, private_key->bytes, name, &der,
		err) ||
	    !pkcs8_decode(plain_view(der), &key->pkey, err) || !prepare(key, err))
		return false;
	*out = key;
	key = NULL;
	return true;
}

/* One signature over the message's SHA-256, as OpenSSL writes it, appended to ${out}. */
static bool
sign(struct signing_key *key, enum signature_alg alg, view message, struct buf *out,
    struct error *err)
{
	uint8_t digest[SHA256_LEN];
	const view hashed = { (const char *)digest, sizeof(digest) };
	size_t len = (size_t)EVP_PKEY_get_size(key->pkey);
	char *room;

	if ((size_t)alg >= COUNT_OF(key->ctxs) || key->ctxs[alg] == NULL)
		return error_set(err, ERR_INTERNAL, "The algorithm does not fit the signing key.");
	if (!sha256(&message, 1, digest, err))
		return false;
	room = buf_room(out, len);
	if (room == NULL)
		return error_memory(err);
	if (!signature_make(key->ctxs[alg], key->checkers[alg], alg, hashed, (unsigned char *)room,
		&len, err))
		return false;
	(void)openssl_starved();
	out->len += len;
	return true;
}

bool
signing_key_sign(struct signing_key *key, enum signature_alg alg, view message, struct buf *out,
    struct error *err)
{
	AUTO(buf_free) struct buf der = { 0 };
	unsigned char raw[ES256_RAW_LEN];

	if (alg != SIGNATURE_ES256)
		return sign(key, alg, message, out, err);
	if (!sign(key, alg, message, &der, err))
		return false;
	if (!ecdsa_to_raw(buf_view(&der), raw, sizeof(raw)))
		return openssl_unable(err);
	buf_add(out, (view){ (const char *)raw, sizeof(raw) });
	return buf_ok(out) || error_memory(err);
}
