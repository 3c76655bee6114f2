/*
 * Keys to be made, taken in and changed, as strangers send them; the same bytes as a version that
 * something has damaged in the store: what is read can be shown.
 */
#include "base/fuzzing.h"
#include "keys/key_body.h"

#define ARENA_MAX ((size_t)256 * 1024)

static void
try_ops(const struct body_texts *texts, const struct key_spec *spec)
{
	struct key_ops ops;
	struct error err = { 0 };

	if (key_ops_read(texts, spec, &ops, &err))
		check(ops.count <= KEY_OPS_MAX);
	else
		check(err.code == ERR_BAD_PARAMETER);
}

static void
try_create(view text, struct arena *arena)
{
	struct key_create_body body = { 0 };
	struct key_spec spec = { 0 };
	struct error err;

	if (body_read(text, key_create_fields, &body, arena, &err) &&
	    key_spec_of_create(&body, &spec, &err))
		try_ops(&body.common.ops, &spec);
}

static void
try_import(view text, struct arena *arena)
{
	struct key_import_body body = { 0 };
	struct key_numbers numbers = { 0 };
	struct key_spec spec = { 0 };
	struct error err = { 0 };

	if (!body_read(text, key_import_fields, &body, arena, &err) ||
	    !key_spec_of_import(&body, &spec, &err))
		return;
	try_ops(&body.common.ops, &spec);
	if (key_numbers_of_import(&body, arena, &numbers, &err))
		check(numbers.n.len <= KEY_NUMBER_TEXT_MAX && numbers.d.len <= KEY_NUMBER_TEXT_MAX);
	else
		check(err.code == ERR_BAD_PARAMETER);
}

static void
try_document(view bytes)
{
	AUTO(buf_free) struct buf shown = { 0 };
	struct json json = json_to(&shown);
	struct key key;

	if (!key_unpack(bytes, &key))
		return;
	check(key.ops.count <= KEY_OPS_MAX);
	json_open(&json, '{');
	key_write_public(&json, &key);
	key_write_policy(&json, &key);
	json_close(&json, '}');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view text = { (const char *)data, len };

	arena_init(&arena, ARENA_MAX);
	try_create(text, &arena);
	try_import(text, &arena);
	try_document(text);
	return 0;
}
