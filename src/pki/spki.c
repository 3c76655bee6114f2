#include "pki/spki.h"

#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "pki/der.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

#define OID_RSA "1.2.840.113549.1.1.1"
#define OID_EC "1.2.840.10045.2.1"
#define RSA_BITS_MIN 512
#define RSA_BITS_MAX 16384
#define EXPONENT_BITS_MAX 64

static const struct {
	const char *name; /* a JWK's */
	const char *group;
	const char *oid;
	size_t field_len;
	unsigned bits;
} curves[] = {
	{ "P-256", "prime256v1", "1.2.840.10045.3.1.7", 32, 256 },
	{ "P-256K", "secp256k1", "1.3.132.0.10", 32, 256 },
	{ "P-384", "secp384r1", "1.3.132.0.34", 48, 384 },
	{ "P-521", "secp521r1", "1.3.132.0.35", 66, 521 },
};

static bool
malformed(struct error *err)
{
	return openssl_failed(err, ERR_BAD_PARAMETER, "The public key is malformed.");
}

/* ${n} and ${e} as the bytes of a JWK. */
static bool
write_rsa(const BIGNUM *n, const BIGNUM *e, struct buf *out)
{
	unsigned char bytes[RSA_BITS_MAX / 8 + EXPONENT_BITS_MAX / 8];
	int n_len = BN_bn2bin(n, bytes), e_len = BN_bn2bin(e, bytes + n_len);

	return spki_from_rsa((view){ (const char *)bytes, (size_t)n_len },
	    (view){ (const char *)bytes + n_len, (size_t)e_len }, out);
}

/* Only one that would be written like that again: then it is equal when its bytes are. */
static bool
read_rsa(const EVP_PKEY *pkey, view der, struct spki *out, struct error *err)
{
	AUTO(bn_done) BIGNUM *n = NULL;
	AUTO(bn_done) BIGNUM *e = NULL;
	AUTO(buf_free) struct buf again = { 0 };
	int bits;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return malformed(err);
	bits = BN_num_bits(n);
	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX || !BN_is_odd(n) || !BN_is_odd(e) ||
	    BN_is_one(e) || BN_num_bits(e) > EXPONENT_BITS_MAX)
		return malformed(err);
	if (!write_rsa(n, e, &again))
		return error_memory(err);
	if (view_eq(buf_view(&again), der))
		*out = (struct spki){ SPKI_RSA, NULL, (unsigned)bits };
	return true;
}

static bool
is_on_curve(EVP_PKEY *pkey)
{
	AUTO(pkey_ctx_done) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

	return ctx != NULL && EVP_PKEY_public_check_quick(ctx) == 1;
}

static bool
decode(view der, struct spki *out, struct error *err)
{
	const unsigned char *at = octets(der);
	AUTO(pkey_done) EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)der.len);
	struct spki found = { SPKI_OTHER, NULL, 0 };

	if (pkey == NULL || at != octets(der) + der.len)
		return malformed(err);
	if (EVP_PKEY_is_a(pkey, "RSA") && !read_rsa(pkey, der, &found, err))
		return false;
	if (EVP_PKEY_is_a(pkey, "EC") && !is_on_curve(pkey)) /* and not as usual_curve has it */
		return malformed(err);
	ERR_clear_error(); /* a decoder leaves its failed guesses */
	*out = found;
	return true;
}

/* The curve of an EC key that is written as it is here, its point in full; else their number. */
static bool
usual_curve(view der, view bits, size_t *curve, struct error *err)
{
	for (*curve = 0; *curve < COUNT_OF(curves); (*curve)++) {
		size_t len = curves[*curve].field_len;
		AUTO(buf_free) struct buf again = { 0 };

		if (bits.len != 1 + 2 * len)
			continue;
		if (!spki_from_ec(view_of(curves[*curve].name), (view){ bits.ptr + 1, len },
			(view){ bits.ptr + 1 + len, len }, &again))
			return error_memory(err);
		if (view_eq(buf_view(&again), der))
			break;
	}
	return true;
}

/* Built of its bytes: setting a decoder up for them would take fifty times as long. */
static bool
check_point(const char *group, view point, struct error *err)
{
	AUTO(param_bld_done) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	AUTO(pkey_done) EVP_PKEY *pkey = NULL;

	if (builder == NULL ||
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.ptr,
		point.len) != 1)
		return openssl_unable(err);
	return (pkey_build("EC", EVP_PKEY_PUBLIC_KEY, builder, &pkey) && is_on_curve(pkey)) ||
	    malformed(err);
}

static bool
read_known(view der, view bits, struct spki *out, struct error *err)
{
	size_t curve;

	if (!usual_curve(der, bits, &curve, err))
		return false;
	if (curve == COUNT_OF(curves))
		return decode(der, out, err);
	if (!check_point(curves[curve].group, bits, err))
		return false;
	*out = (struct spki){ SPKI_EC, curves[curve].name, curves[curve].bits };
	return true;
}

/*
 * Is it of an algorithm that is known here?  What the others hold is not looked at.  False:
 * malformed, as an EC key is whose curve is spelled out: its numbers could be somebody's own.
 */
static bool
classify(view algorithm, bool *known)
{
	char dotted[DER_OID_ROOM];
	view content, oid;

	if (!der_expect(&algorithm, DER_OID, &content) || !der_oid_text(content, dotted, &oid))
		return false;
	*known = view_eq(oid, V(OID_RSA));
	if (!view_eq(oid, V(OID_EC)))
		return true;
	if (!der_expect(&algorithm, DER_OID, &content) || !der_oid_text(content, dotted, &oid))
		return false;
	for (size_t i = 0; i < COUNT_OF(curves); i++)
		*known = *known || view_eq(oid, view_of(curves[i].oid));
	return true;
}

bool
spki_read(view der, struct spki *out, struct error *err)
{
	view rest = der, in, algorithm, bits;
	bool known;

	if (der.len > SPKI_MAX || !spki_key_bits(der, &bits) ||
	    !der_expect(&rest, DER_SEQUENCE, &in) || !der_expect(&in, DER_SEQUENCE, &algorithm) ||
	    !classify(algorithm, &known))
		return malformed(err);
	if (known)
		return read_known(der, bits, out, err);
	*out = (struct spki){ SPKI_OTHER, NULL, 0 };
	return true;
}

bool
spki_is_vault(const struct spki *spki)
{
	return spki->kind == SPKI_EC ||
	    (spki->kind == SPKI_RSA &&
		(spki->bits == 2048 || spki->bits == 3072 || spki->bits == 4096));
}

bool
spki_from_rsa(view n, view e, struct buf *out)
{
	AUTO(buf_free) struct buf key = { 0 };
	size_t at, inner;

	if (n.len == 0 || e.len == 0)
		return false;
	inner = der_open(&key, DER_SEQUENCE);
	der_unsigned(&key, n);
	der_unsigned(&key, e);
	der_close(&key, inner);
	if (!buf_ok(&key))
		return false;
	at = der_open(out, DER_SEQUENCE);
	inner = der_open(out, DER_SEQUENCE);
	der_oid(out, V(OID_RSA));
	der_null(out);
	der_close(out, inner);
	der_bits(out, buf_view(&key));
	der_close(out, at);
	return buf_ok(out);
}

static void
add_ec(const char *curve, view x, view y, struct buf *out)
{
	size_t at = der_open(out, DER_SEQUENCE), inner = der_open(out, DER_SEQUENCE);

	der_oid(out, V(OID_EC));
	der_oid(out, view_of(curve));
	der_close(out, inner);
	inner = der_open(out, DER_BIT_STRING);
	buf_add(out, V("\x00\x04")); /* no unused bits; a point that is not compressed */
	buf_add(out, x);
	buf_add(out, y);
	der_close(out, inner);
	der_close(out, at);
}

bool
spki_from_ec(view curve, view x, view y, struct buf *out)
{
	for (size_t i = 0; i < COUNT_OF(curves); i++) {
		if (!view_eq(curve, view_of(curves[i].name)))
			continue;
		if (x.len != curves[i].field_len || y.len != curves[i].field_len)
			return false;
		add_ec(curves[i].oid, x, y, out);
		return buf_ok(out);
	}
	return false;
}

bool
spki_key_bits(view der, view *bits)
{
	view in, algorithm, content;

	if (!der_expect(&der, DER_SEQUENCE, &in) || der.len != 0 ||
	    !der_expect(&in, DER_SEQUENCE, &algorithm) ||
	    !der_expect(&in, DER_BIT_STRING, &content) || in.len != 0 || content.len < 1 ||
	    content.ptr[0] != 0)
		return false;
	*bits = view_from(content, 1);
	return true;
}

bool
spki_key_id(view der, uint8_t out[KEY_ID_LEN], struct error *err)
{
	uint8_t digest[SHA256_LEN];
	view bits;

	if (!spki_key_bits(der, &bits))
		return malformed(err);
	if (!sha256(&bits, 1, digest, err))
		return false;
	memcpy(out, digest, KEY_ID_LEN);
	return true;
}
