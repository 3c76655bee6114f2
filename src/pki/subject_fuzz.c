/*
 * Subjects as callers write them: what is shown of an accepted one makes it again.  The same bytes
 * as a Name, too.
 */
#include "pki/subject.h"

#include "base/fuzzing.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	view input = { (const char *)data, len }, name, text, again;
	struct arena arena;
	struct error err;

	arena_init(&arena, 1 << 20);
	(void)subject_text(input, &arena, &text, &err);
	(void)subject_has_nul(input);
	if (subject_parse(input, &arena, &name, &err)) {
		if (!subject_text(name, &arena, &text, &err) || subject_has_nul(name))
			abort();
		/* Quotation marks and numbers may make it longer than a text may be. */
		if (subject_parse(text, &arena, &again, &err) && !view_eq(name, again))
			abort();
	}
	arena_free(&arena);
	return 0;
}
