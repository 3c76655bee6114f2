#include "pki/bundle.h"

#include "crypto/pkcs8.h"
#include "pki/pem.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#define ITERATIONS 2048

OPENSSL_OWNER(pkcs12, PKCS12, PKCS12_free)

struct stack {
	X509 *leaf;
	STACK_OF(X509) * others;
};

static void
stack_done(struct stack *chain)
{
	X509_free(chain->leaf);
	sk_X509_pop_free(chain->others, X509_free);
}

static bool
add_certificate(struct stack *chain, view der, bool leaf)
{
	const unsigned char *at = octets(der);
	X509 *certificate = d2i_X509(NULL, &at, (long)der.len);

	if (certificate == NULL)
		return false;
	if (leaf) {
		chain->leaf = certificate;
		return true;
	}
	if (sk_X509_push(chain->others, certificate) > 0)
		return true;
	X509_free(certificate);
	return false;
}

/* The certificate of the key apart from the others: only then it is known as the key's. */
static bool
read_chain(const struct views *certificates, bool key, struct stack *out, struct error *err)
{
	out->others = sk_X509_new_null();
	if (out->others == NULL)
		return openssl_unable(err);
	for (size_t i = 0; i < certificates->count; i++) {
		if (!add_certificate(out, certificates->items[i], key && i == 0))
			return openssl_failed(err, ERR_CORRUPT, "A certificate is malformed.");
	}
	return true;
}

static bool
encode(PKCS12 *pfx, struct plain **out, struct error *err)
{
	AUTO(plain_done) struct plain *der = NULL;
	int len = i2d_PKCS12(pfx, NULL);
	unsigned char *at;

	if (len <= 0)
		return openssl_unable(err);
	der = plain_new((size_t)len);
	if (der == NULL)
		return error_memory(err);
	at = (unsigned char *)plain_bytes(der);
	if (i2d_PKCS12(pfx, &at) != len)
		return openssl_unable(err);
	*out = der;
	der = NULL;
	return true;
}

bool
bundle_to_pfx(view key, const struct views *certificates, struct plain **out, struct error *err)
{
	AUTO(pkey_done) EVP_PKEY *pkey = NULL;
	AUTO(stack_done) struct stack chain = { 0 };
	AUTO(pkcs12_done) PKCS12 *pfx = NULL;

	if ((key.len > 0 && !pkcs8_decode(key, &pkey, err)) ||
	    !read_chain(certificates, key.len > 0, &chain, err))
		return false;
	pfx = PKCS12_create("", NULL, pkey, chain.leaf, chain.others,
	    NID_pbe_WithSHA1And3_Key_TripleDES_CBC, NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
	    ITERATIONS, -1, 0);
	/* Readers differ in what they take for the MAC's digest: SHA-1 is the one all know. */
	if (pfx == NULL || PKCS12_set_mac(pfx, "", 0, NULL, 0, ITERATIONS, EVP_sha1()) != 1)
		return openssl_failed(err, ERR_CORRUPT, "The key and the certificate differ.");
	return encode(pfx, out, err);
}

bool
bundle_to_pem(view key, const struct views *certificates, struct plain **out, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct plain *copy;

	if (key.len > 0)
		pem_write(PEM_PRIVATE_KEY, key, &text);
	for (size_t i = 0; i < certificates->count; i++)
		pem_write(PEM_CERTIFICATE, certificates->items[i], &text);
	if (!buf_ok(&text))
		return error_memory(err);
	copy = plain_copy(buf_view(&text));
	if (copy == NULL)
		return error_memory(err);
	*out = copy;
	return true;
}
