#include "pki/bundle.h"

#include "crypto/pkcs8.h"
#include "pki/bundle_parts.h"
#include "pki/read.h"

#include <openssl/err.h>
#include <string.h>

void
bundle_free(struct bundle *bundle)
{
	plain_free(bundle->key);
	*bundle = (struct bundle){ 0 };
}

void
parts_done(struct parts *parts)
{
	EVP_PKEY_free(parts->key);
}

void
parts_key(struct parts *parts, EVP_PKEY *key)
{
	parts->keys++;
	EVP_PKEY_free(parts->key);
	parts->key = key;
}

bool
parts_certificate(struct parts *parts, view der, struct error *err)
{
	if (parts->count == BUNDLE_CERTIFICATES_MAX)
		return error_set(err, ERR_BAD_PARAMETER,
		    "There are more than %d certificates in the file.", BUNDLE_CERTIFICATES_MAX);
	if (!arena_copy(parts->arena, der, &parts->certificates[parts->count]))
		return error_memory(err);
	parts->count++;
	return true;
}

static bool
find_leaf(const struct parts *parts, view spki, struct error *err)
{
	bool found = false;

	for (size_t i = 0; i < parts->count; i++) {
		struct x509 certificate;

		if (!x509_read(parts->certificates[i], parts->arena, &certificate, err))
			return false;
		found = found || view_eq(certificate.spki, spki);
	}
	return found ||
	    error_set(err, ERR_BAD_PARAMETER,
		"The private key does not belong to any of the certificates.");
}

static bool
read_key(const struct parts *parts, struct bundle *out, struct error *err)
{
	AUTO(buf_free) struct buf spki = { 0 };

	if (parts->keys > 1)
		return error_set(err, ERR_BAD_PARAMETER,
		    "There is more than one private key in the file.");
	if (!spki_encode(parts->key, &spki, err) || !spki_read(buf_view(&spki), &out->kind, err))
		return false;
	if (!spki_is_vault(&out->kind))
		return error_set(err, ERR_BAD_PARAMETER,
		    "The certificate's key must be an RSA key of 2048, 3072 or 4096 bits or an EC "
		    "key of curve P-256, P-256K, P-384 or P-521.");
	return arena_copy(parts->arena, buf_view(&spki), &out->spki) || error_memory(err);
}

bool
parts_finish(struct parts *parts, struct bundle *out, struct error *err)
{
	struct bundle made = { 0 };
	view *items = arena_alloc(parts->arena, parts->count * sizeof(view));

	if (items == NULL)
		return error_memory(err);
	if (!read_key(parts, &made, err) || !find_leaf(parts, made.spki, err) ||
	    !pkcs8_encode(parts->key, &made.key, err))
		return false;
	memcpy(items, parts->certificates, parts->count * sizeof(view));
	made.certificates = (struct views){ items, parts->count };
	ERR_clear_error();
	*out = made;
	return true;
}
