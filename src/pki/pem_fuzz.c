/*
 * PEM with a key and certificates, as strangers send it.  What is accepted can be written, and read
 * again.
 */
#include "pki/bundle.h"

#include "base/fuzzing.h"

static void
again(const struct bundle *bundle, struct arena *arena)
{
	AUTO(plain_done) struct plain *pem = NULL;
	struct bundle same;
	struct error err;

	if (!bundle_to_pem(plain_view(bundle->key), &bundle->certificates, &pem, &err) ||
	    !bundle_from_pem(plain_view(pem), arena, &same, &err) ||
	    !view_eq(same.spki, bundle->spki) ||
	    same.certificates.count != bundle->certificates.count)
		abort();
	bundle_free(&same);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena arena;
	struct bundle bundle;
	struct error err;

	arena_init(&arena, 8 << 20);
	if (bundle_from_pem((view){ (const char *)data, len }, &arena, &bundle, &err)) {
		again(&bundle, &arena);
		bundle_free(&bundle);
	}
	arena_free(&arena);
	return 0;
}
