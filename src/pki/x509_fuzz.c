/*
 * Certificates as strangers send them.  What is accepted can be shown, and said again.
 */
#include "pki/chain.h"

#include "base/fuzzing.h"
#include "pki/read.h"
#include "pki/subject.h"

static void
use(const struct x509 *certificate, struct arena *arena)
{
	AUTO(buf_free) struct buf extensions = { 0 };
	view items[] = { certificate->der, certificate->der };
	const struct views bag = { items, 2 };
	struct chain chain;
	struct error err;
	view text;

	if (!subject_text(certificate->profile.subject, arena, &text, &err) ||
	    !subject_text(certificate->issuer, arena, &text, &err))
		abort();
	(void)profile_extensions(&certificate->profile, &extensions, &err);
	if (!chain_order(&bag, certificate->spki, arena, &chain, &err) || chain.count != 1)
		abort();
	(void)x509_signed_by(certificate, certificate);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	view input = { (const char *)data, len };
	struct arena arena;
	struct x509 certificate;
	struct error err;

	arena_init(&arena, 1 << 20);
	if (x509_read(input, &arena, &certificate, &err))
		use(&certificate, &arena);
	arena_free(&arena);
	return 0;
}
