#include "keyring/ring.h"

#define FORMAT 1
#define ID_MAX 128

static bool
id_valid(view id)
{
	if (id.len == 0 || id.len > ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char c = ascii_lower(id.ptr[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return true;
}

bool
ring_path(view id, struct arena *arena, view *out, struct error *err)
{
	if (!id_valid(id))
		return error_set(err, ERR_CORRUPT, "A vault key's name is malformed.");
	return arena_print(arena, out, "k/%.*s", VIEW_ARG(id)) || error_memory(err);
}

bool
ring_wrap(struct keyring *keyring, view path, const struct plain *bytes, struct arena *arena,
    struct sealed *out, struct error *err)
{
	AUTO(buf_free) struct buf wrapped = { 0 };
	view copy;

	buf_add_char(&wrapped, FORMAT);
	if (!keyring->provider.ops->wrap(keyring->provider.self, plain_view(bytes), path, &wrapped,
		err))
		return false;
	if (!buf_ok(&wrapped) || !arena_copy(arena, buf_view(&wrapped), &copy))
		return error_memory(err);
	out->bytes = copy;
	return true;
}

view
ring_root_id(const struct sealed *value)
{
	if (value->bytes.len < 1 + ROOT_ID_LEN || value->bytes.ptr[0] != FORMAT)
		return V("");
	return (view){ value->bytes.ptr + 1, ROOT_ID_LEN };
}

bool
ring_unwrap(struct keyring *keyring, view path, const struct sealed *value, struct plain **out,
    struct error *err)
{
	if (ring_root_id(value).len == 0)
		return error_set(err, ERR_CORRUPT, "A vault's wrapped key is malformed.");
	return keyring->provider.ops->unwrap(keyring->provider.self, view_from(value->bytes, 1),
	    path, out, err);
}
