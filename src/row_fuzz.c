/*
 * Bodies as strangers send them, read by the row that the first line names: what is refused is
 * refused in the caller's words, and nothing is written beyond the row's struct.
 */
#include "api/body.h"
#include "api/op.h"
#include "api/request.h"
#include "base/fuzzing.h"

#define ARENA_MAX ((size_t)1024 * 1024)

static const struct op *
row_find(view name)
{
	for (const struct op *const *table = op_tables; *table != NULL; table++) {
		for (const struct op *op = *table; op->name != NULL; op++) {
			if (op->body != NULL && view_eq(view_of(op->name), name))
				return op;
		}
	}
	return NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view text = { (const char *)data, len };
	const struct op *op = row_find(view_cut(&text, '\n'));
	struct error err = { 0 };
	void *body;

	if (op == NULL)
		return 0;
	body = calloc(1, op->body_size);
	check(body != NULL);
	arena_init(&arena, ARENA_MAX);
	if (!body_read(text, op->body, body, &arena, &err))
		check((err.code == ERR_BAD_PARAMETER || err.code == ERR_UNAVAILABLE) &&
		    err.message[0] != '\0');
	free(body);
	return 0;
}
