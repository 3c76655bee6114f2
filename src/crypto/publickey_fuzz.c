/*
 * Keys and certificates as strangers send them.  What is accepted must verify garbage without harm.
 */
#include "crypto/publickey.h"

#include "base/fuzzing.h"

static void
use(struct public_key *key, view input)
{
	for (int alg = SIGNATURE_NONE; alg < SIGNATURE_COUNT; alg++)
		(void)public_key_verify(key, (enum signature_alg)alg, V("message"), input);
	public_key_free(key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	view input = { (const char *)data, len };
	struct public_key *key = NULL;
	int64_t from, to;
	struct error err;

	if (public_key_from_spki(input, &key, &err))
		use(key, input);
	if (public_key_from_certificate(input, &key, &err))
		use(key, input);
	(void)certificate_validity(input, &from, &to, &err);
	if (len > 3 && public_key_from_rsa(view_from(input, 3), (view){ input.ptr, 3 }, &key, &err))
		use(key, input);
	for (int curve = CURVE_P256; curve <= CURVE_P521 && len % 2 == 0; curve++) {
		if (public_key_from_ec((enum curve)curve, (view){ input.ptr, len / 2 },
			view_from(input, len / 2), &key, &err))
			use(key, input);
	}
	return 0;
}
