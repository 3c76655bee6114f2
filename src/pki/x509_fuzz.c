/*
 * Certificates and requests as strangers send them.  What is accepted can be shown, and said again.
 */
#include "pki/read.h"
#include "pki/subject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What was read can be written, unless it has what we do not write. */
static void
use(const struct profile *profile, struct arena *arena)
{
	AUTO(buf_free) struct buf extensions = { 0 };
	struct error err;
	view text;

	if (!subject_text(profile->subject, arena, &text, &err))
		__builtin_trap();
	(void)profile_extensions(profile, &extensions, &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	view input = { (const char *)data, len };
	struct arena arena;
	struct x509 certificate;
	struct csr request;
	struct error err;

	arena_init(&arena, 1 << 20);
	if (x509_read(input, &arena, &certificate, &err)) {
		use(&certificate.profile, &arena);
		(void)x509_signed_by(&certificate, &certificate);
	}
	if (csr_read(input, &arena, &request, &err))
		use(&request.profile, &arena);
	arena_free(&arena);
	return 0;
}
