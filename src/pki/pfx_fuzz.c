/*
 * PKCS#12 as strangers send it, with an empty password; as it is, and with a MAC that is right, so
 * that what lies behind it is reached, too.
 */
#include "base/fuzzing.h"
#include "crypto/openssl.h"
#include "pki/bundle.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>

static void
open_it(view pfx)
{
	struct arena arena;
	struct bundle bundle;
	struct error err;

	arena_init(&arena, 8 << 20);
	if (bundle_from_pfx(pfx, V(""), &arena, &bundle, &err)) {
		if (bundle.certificates.count == 0 || bundle.key == NULL)
			abort();
		bundle_free(&bundle);
	}
	arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const unsigned char *at = data;
	PKCS12 *decoded = d2i_PKCS12(NULL, &at, (long)len);
	unsigned char *der = NULL;
	int written = -1;

	open_it((view){ (const char *)data, len });
	if (decoded != NULL && PKCS12_set_mac(decoded, "", 0, NULL, 0, 1, EVP_sha1()) == 1)
		written = i2d_PKCS12(decoded, &der);
	if (written > 0)
		open_it((view){ (const char *)der, (size_t)written });
	OPENSSL_free(der);
	PKCS12_free(decoded);
	ERR_clear_error();
	return 0;
}
