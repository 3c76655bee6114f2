/*
 * Certificate requests as strangers send them.  What is accepted can be shown, and said again.
 */
#include "pki/read.h"

#include "base/fuzzing.h"
#include "pki/subject.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(buf_free) struct buf extensions = { 0 };
	struct arena arena;
	struct csr request;
	struct error err;
	view text;

	arena_init(&arena, 1 << 20);
	if (csr_read((view){ (const char *)data, len }, &arena, &request, &err)) {
		if (!subject_text(request.profile.subject, &arena, &text, &err))
			abort();
		(void)profile_extensions(&request.profile, &extensions, &err);
	}
	arena_free(&arena);
	return 0;
}
