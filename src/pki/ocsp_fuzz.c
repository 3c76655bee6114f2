/*
 * OCSP requests as strangers send them.  Each is answered, by a signer that signs nothing.
 */
#include "pki/ocsp.h"

#include "base/fuzzing.h"
#include "pki/subject.h"

#include <string.h>

/* RSA-512: no one's. */
static const char spki[] =
    "\x30\x5c\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03"
    "\x4b\x00\x30\x48\x02\x41\x00";

static bool
sign(void *ctx, view message, view digest, struct buf *out, struct error *err)
{
	(void)ctx;
	(void)message;
	(void)err;
	buf_add(out, digest);
	return true;
}

static void
answer(const struct ocsp_request *request)
{
	static const struct signer signer = { SIGNATURE_RS256, sign, NULL };
	AUTO(buf_free) struct buf der = { 0 };
	struct ocsp_single singles[OCSP_IDS_MAX];
	char key[94];
	struct ocsp_wish wish = { .issuer_spki = { key, sizeof(key) },
		.nonce = request->nonce,
		.next_update = 600,
		.singles = singles,
		.count = request->count };
	struct error err;

	memset(key, 1, sizeof(key));
	memcpy(key, spki, sizeof(spki) - 1);
	for (size_t i = 0; i < request->count; i++) {
		singles[i] = (struct ocsp_single){ &request->ids[i], (enum ocsp_state)(i % 3), 0,
			CRL_SUPERSEDED };
		(void)ocsp_id_is(&request->ids[i], SUBJECT_EMPTY, wish.issuer_spki);
	}
	if (!ocsp_answer(&wish, &signer, &der, &err))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena arena;
	struct ocsp_request request;
	struct error err;

	arena_init(&arena, 1 << 16);
	if (ocsp_read((view){ (const char *)data, len }, &arena, &request, &err))
		answer(&request);
	arena_free(&arena);
	return 0;
}
