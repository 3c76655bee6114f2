#include "pki/bundle.h"

#include "crypto/pkcs8.h"
#include "pki/bundle_parts.h"
#include "pki/pem.h"

#include <openssl/err.h>

#define BLOCKS_MAX 64

static bool
malformed(struct error *err)
{
	return openssl_failed(err, ERR_BAD_PARAMETER,
	    "The specified PEM X.509 certificate content is in an unexpected format. Please check "
	    "if certificate is in valid PEM format.");
}

static bool
encrypted(struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER,
	    "The private key in the X.509 PEM certificate content is encrypted. Please specify it "
	    "unencrypted.");
}

struct block {
	view label;
	struct plain *der;
};

static void
block_done(struct block *block)
{
	plain_free(block->der);
}

/* The next block; its label is empty behind the last one. */
static bool
next_block(view *rest, struct block *out, struct error *err)
{
	AUTO(plain_done) struct plain *der = NULL;
	enum pem_found found;
	struct pem_block text;
	size_t len;

	out->label = V("");
	found = pem_next(rest, &text);
	if (found != PEM_BLOCK)
		return found == PEM_NONE || malformed(err);
	if (view_find(text.body, ':', &(size_t){ 0 })) /* "Proc-Type: 4,ENCRYPTED" */
		return encrypted(err);
	der = plain_new(pem_room(text.body));
	if (der == NULL)
		return error_memory(err);
	if (!pem_decode(text.body, plain_bytes(der), &len))
		return malformed(err);
	plain_resize(der, len);
	out->label = text.label;
	out->der = der;
	der = NULL;
	return true;
}

static bool
take_pkcs8(struct parts *parts, view der, struct error *err)
{
	EVP_PKEY *key = NULL;

	if (!pkcs8_decode(der, &key, err))
		return err->code == ERR_CORRUPT ? malformed(err) : false;
	parts_key(parts, key);
	return true;
}

static bool
take_typed(struct parts *parts, int type, view der, struct error *err)
{
	const unsigned char *at = octets(der);
	EVP_PKEY *key = d2i_PrivateKey(type, NULL, &at, (long)der.len);

	if (key == NULL || at != octets(der) + der.len) {
		EVP_PKEY_free(key);
		return malformed(err);
	}
	ERR_clear_error();
	parts_key(parts, key);
	return true;
}

static bool
take_rsa(struct parts *parts, view der, struct error *err)
{
	return take_typed(parts, EVP_PKEY_RSA, der, err);
}

static bool
take_ec(struct parts *parts, view der, struct error *err)
{
	return take_typed(parts, EVP_PKEY_EC, der, err);
}

static bool
take_encrypted(struct parts *parts, view der, struct error *err)
{
	(void)parts;
	(void)der;
	return encrypted(err);
}

static bool
take_nothing(struct parts *parts, view der, struct error *err)
{
	(void)parts;
	(void)der;
	(void)err;
	return true;
}

static const struct {
	const char *label;
	bool (*take)(struct parts *parts, view der, struct error *err);
} blocks[] = {
	{ "PRIVATE KEY", take_pkcs8 },
	{ "RSA PRIVATE KEY", take_rsa },
	{ "EC PRIVATE KEY", take_ec },
	{ "ENCRYPTED PRIVATE KEY", take_encrypted },
	{ "CERTIFICATE", parts_certificate },
	{ "X509 CERTIFICATE", parts_certificate },
	{ "EC PARAMETERS", take_nothing },
};

static bool
take_block(struct parts *parts, const struct block *block, struct error *err)
{
	for (size_t i = 0; i < COUNT_OF(blocks); i++) {
		if (view_eq(block->label, view_of(blocks[i].label)))
			return blocks[i].take(parts, plain_view(block->der), err);
	}
	return malformed(err);
}

static bool
take_blocks(struct parts *parts, view text, struct error *err)
{
	size_t count = 0;

	while (text.len > 0) {
		AUTO(block_done) struct block block = { 0 };

		if (count++ == BLOCKS_MAX)
			return malformed(err);
		if (!next_block(&text, &block, err))
			return false;
		if (block.label.len == 0)
			return true;
		if (!take_block(parts, &block, err))
			return false;
	}
	return true;
}

bool
bundle_from_pem(view text, struct arena *arena, struct bundle *out, struct error *err)
{
	AUTO(parts_done) struct parts parts = { .arena = arena };

	if (text.len > BUNDLE_MAX)
		return error_set(err, ERR_BAD_PARAMETER, "The certificate is too large.");
	if (!take_blocks(&parts, text, err))
		return false;
	if (parts.count == 0)
		return malformed(err);
	if (parts.keys == 0)
		return error_set(err, ERR_BAD_PARAMETER,
		    "Private key is not specified in the specified X.509 PEM certificate content. "
		    "Please specify private key in the X.509 PEM certificate content.");
	return parts_finish(&parts, out, err);
}
