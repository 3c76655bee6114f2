#include "pki/signer.h"

#include "crypto/signature.h"
#include "pki/der.h"

/* RFC 4055, sections 3 and 5; RFC 5758, section 3.2. */
static const struct {
	const char *oid;
	const char *hash; /* of PSS */
	unsigned salt;    /* bytes, of PSS */
	bool null;        /* parameters are there, and NULL */
} algorithms_by_alg[SIGNATURE_COUNT] = {
	[SIGNATURE_RS256] = { "1.2.840.113549.1.1.11", NULL, 0, true },
	[SIGNATURE_RS384] = { "1.2.840.113549.1.1.12", NULL, 0, true },
	[SIGNATURE_RS512] = { "1.2.840.113549.1.1.13", NULL, 0, true },
	[SIGNATURE_PS256] = { "1.2.840.113549.1.1.10", "2.16.840.1.101.3.4.2.1", 32, false },
	[SIGNATURE_PS384] = { "1.2.840.113549.1.1.10", "2.16.840.1.101.3.4.2.2", 48, false },
	[SIGNATURE_PS512] = { "1.2.840.113549.1.1.10", "2.16.840.1.101.3.4.2.3", 64, false },
	[SIGNATURE_ES256] = { "1.2.840.10045.4.3.2", NULL, 0, false },
	[SIGNATURE_ES256K] = { "1.2.840.10045.4.3.2", NULL, 0, false },
	[SIGNATURE_ES384] = { "1.2.840.10045.4.3.3", NULL, 0, false },
	[SIGNATURE_ES512] = { "1.2.840.10045.4.3.4", NULL, 0, false },
};

enum signature_alg
signer_alg(bool rsa, view curve)
{
	static const struct {
		const char *curve;
		enum signature_alg alg;
	} algs[] = {
		{ "P-256", SIGNATURE_ES256 },
		{ "P-256K", SIGNATURE_ES256K },
		{ "P-384", SIGNATURE_ES384 },
		{ "P-521", SIGNATURE_ES512 },
	};

	if (rsa)
		return SIGNATURE_RS256;
	for (size_t i = 0; i < COUNT_OF(algs); i++) {
		if (view_eq(curve, view_of(algs[i].curve)))
			return algs[i].alg;
	}
	return SIGNATURE_NONE;
}

static void
add_hash(struct buf *out, const char *hash)
{
	size_t at = der_open(out, DER_SEQUENCE);

	der_oid(out, view_of(hash));
	der_null(out);
	der_close(out, at);
}

/* RSASSA-PSS-params { [0] hash, [1] MGF1 with the hash, [2] salt length }. */
static void
add_pss(struct buf *out, const char *hash, unsigned salt)
{
	size_t at = der_open(out, DER_SEQUENCE), field, mgf;

	field = der_open(out, DER_CONSTRUCTED(0));
	add_hash(out, hash);
	der_close(out, field);
	field = der_open(out, DER_CONSTRUCTED(1));
	mgf = der_open(out, DER_SEQUENCE);
	der_oid(out, V("1.2.840.113549.1.1.8"));
	add_hash(out, hash);
	der_close(out, mgf);
	der_close(out, field);
	field = der_open(out, DER_CONSTRUCTED(2));
	der_u64(out, salt);
	der_close(out, field);
	der_close(out, at);
}

bool
signer_algorithm(enum signature_alg alg, struct buf *out, struct error *err)
{
	size_t at;

	if ((size_t)alg >= SIGNATURE_COUNT || algorithms_by_alg[alg].oid == NULL)
		return error_set(err, ERR_INTERNAL, "Certificates can't be signed like that.");
	at = der_open(out, DER_SEQUENCE);
	der_oid(out, view_of(algorithms_by_alg[alg].oid));
	if (algorithms_by_alg[alg].hash != NULL)
		add_pss(out, algorithms_by_alg[alg].hash, algorithms_by_alg[alg].salt);
	if (algorithms_by_alg[alg].null)
		der_null(out);
	der_close(out, at);
	return buf_ok(out) || error_memory(err);
}

/* The signature as X.509 has it. */
static bool
sign(const struct signer *signer, view tbs, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf signature = { 0 };
	unsigned char digest[SIGNATURE_DIGEST_MAX], der[ECDSA_DER_MAX];
	size_t len, raw_len;

	if (!signature_digest(signer->alg, tbs, digest, &len))
		return openssl_unable(err);
	if (!signer->sign(signer->ctx, tbs, (view){ (const char *)digest, len }, &signature, err))
		return false;
	if (!buf_ok(&signature))
		return error_memory(err);
	if (!ecdsa_raw_len(signer->alg, &raw_len)) {
		der_bits(out, buf_view(&signature));
		return true;
	}
	if (signature.len != raw_len || !ecdsa_to_der(buf_view(&signature), der, &len))
		return error_set(err, ERR_INTERNAL, "The signature is not of that algorithm.");
	der_bits(out, (view){ (const char *)der, len });
	return true;
}

bool
signer_body(const struct signer *signer, view tbs, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf made = { 0 };

	buf_add(&made, tbs);
	if (!signer_algorithm(signer->alg, &made, err) || !sign(signer, tbs, &made, err))
		return false;
	if (!buf_ok(&made))
		return error_memory(err);
	buf_add(out, buf_view(&made));
	return buf_ok(out) || error_memory(err);
}

bool
signer_wrap(const struct signer *signer, view tbs, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf body = { 0 };

	if (!signer_body(signer, tbs, &body, err))
		return false;
	der_value(out, DER_SEQUENCE, buf_view(&body));
	return buf_ok(out) || error_memory(err);
}
