#include "identity/issuer_testing.h"

#include "base/base64.h"
#include "base/testing.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <unistd.h>

struct outside outside;

static void
add_number(struct buf *out, const char *name, EVP_PKEY *key, const char *param, int len)
{
	unsigned char bytes[600];
	BIGNUM *number = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(key, param, &number), 1);
	len = len > 0 ? len : BN_num_bytes(number);
	assert_int_equal(BN_bn2binpad(number, bytes, len), len);
	BN_free(number);
	buf_print(out, ",\"%s\":\"", name);
	base64_encode(BASE64URL, (view){ (char *)bytes, (size_t)len }, out);
	buf_add_char(out, '"');
}

void
outside_set_keys(const char *keys)
{
	struct buf *out = &outside.keys;

	buf_reset(out);
	if (keys != NULL) {
		buf_add(out, view_of(keys));
		return;
	}
	buf_add(out, V("{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"r1\""));
	add_number(out, "n", outside.rsa, OSSL_PKEY_PARAM_RSA_N, 0);
	add_number(out, "e", outside.rsa, OSSL_PKEY_PARAM_RSA_E, 0);
	buf_add(out, V("},{\"kty\":\"EC\",\"crv\":\"P-384\",\"alg\":\"ES384\",\"kid\":\"e1\""));
	add_number(out, "x", outside.ec, OSSL_PKEY_PARAM_EC_PUB_X, 48);
	add_number(out, "y", outside.ec, OSSL_PKEY_PARAM_EC_PUB_Y, 48);
	buf_add(out, V("}]}"));
	assert_true(buf_ok(out));
}

void
outside_make(void)
{
	outside = (struct outside){ .rsa = EVP_RSA_gen(2048U), .ec = EVP_EC_gen("P-384") };
	assert_true(outside.rsa != NULL && outside.ec != NULL);
	arena_init(&outside.arena, (size_t)16 << 20);
	buf_print(&outside.configuration, "{\"issuer\":\"%s\",\"jwks_uri\":\"%s/keys\"}", OUTSIDE,
	    OUTSIDE);
	outside_set_keys(NULL);
}

void
outside_end(void)
{
	EVP_PKEY_free(outside.rsa);
	EVP_PKEY_free(outside.ec);
	buf_free(&outside.configuration);
	buf_free(&outside.keys);
	arena_free(&outside.arena);
}

bool
outside_fetch(void *ctx, const char *url, struct buf *body, struct error *err)
{
	bool first = strcmp(url, OUTSIDE "/.well-known/openid-configuration") == 0;

	(void)ctx;
	if (first)
		atomic_fetch_add(&outside.asked, 1);
	outside.now += outside.takes;
	if (outside.pause > 0)
		(void)usleep(outside.pause * 1000);
	if (atomic_load(&outside.down) || (!first && strcmp(url, OUTSIDE "/keys") != 0))
		return error_set(err, ERR_UNAVAILABLE, "%s is down", url);
	buf_add(body, buf_view(first ? &outside.configuration : &outside.keys));
	return true;
}

int64_t
outside_clock(void)
{
	return outside.now;
}

struct issuers *
outside_issuers(bool background)
{
	struct issuers *issuers = NULL;
	struct error err;

	assert_fine(issuers_new(&(struct issuers_settings){ .fetch = outside_fetch,
				    .clock = outside_clock,
				    .background = background },
			&issuers, &err),
	    &err);
	return issuers;
}

static view
encode(view bytes)
{
	AUTO(buf_free) struct buf out = { 0 };
	view copy;

	base64_encode(BASE64URL, bytes, &out);
	assert_true(arena_copy(&outside.arena, buf_view(&out), &copy));
	return copy;
}

static view
joined(view a, view b)
{
	view out;

	assert_true(arena_join(&outside.arena, (const view[]){ a, V("."), b }, 3, &out));
	return out;
}

/* An ECDSA-Sig-Value to r || s. */
static size_t
to_raw(unsigned char *bytes, size_t len)
{
	const unsigned char *at = bytes;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);

	assert_non_null(sig);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), bytes, 48), 48);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), bytes + 48, 48), 48);
	ECDSA_SIG_free(sig);
	return 96;
}

view
outside_sign(const char *alg, const char *header, const char *payload)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ec = alg[0] == 'E', pss = alg[0] == 'P';
	view input = joined(encode(view_of(header)), encode(view_of(payload)));
	const EVP_MD *md = strstr(alg, "512") ? EVP_sha512()
	    : strstr(alg, "384")              ? EVP_sha384()
					      : EVP_sha256();
	EVP_PKEY_CTX *how = NULL;
	unsigned char out[512];
	size_t len = sizeof(out);

	assert_int_equal(EVP_DigestSignInit(ctx, &how, md, NULL, ec ? outside.ec : outside.rsa), 1);
	if (pss) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST), 1);
	}
	assert_int_equal(EVP_DigestSign(ctx, out, &len, (const unsigned char *)input.ptr,
			     input.len),
	    1);
	EVP_MD_CTX_free(ctx);
	if (ec)
		len = to_raw(out, len);
	return joined(input, encode((view){ (char *)out, len }));
}

view
outside_token(const char *alg, const char *payload)
{
	view header;

	assert_true(arena_print(&outside.arena, &header, "{\"alg\":\"%s\",\"kid\":\"%s\"}", alg,
	    alg[0] == 'E' ? "e1" : "r1"));
	return outside_sign(alg, header.ptr, payload);
}

view
outside_hmac(view secret, const char *header, const char *payload)
{
	view input = joined(encode(view_of(header)), encode(view_of(payload)));
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned len = sizeof(out);

	assert_non_null(HMAC(EVP_sha256(), secret.ptr, (int)secret.len,
	    (const unsigned char *)input.ptr, input.len, out, &len));
	return joined(input, encode((view){ (char *)out, len }));
}
