#include "access/texts.h"

#include "access/role_store.h"

/* Of NULL: 0. */
static size_t
count_of(const char *const *list)
{
	size_t count = 0;

	while (list != NULL && list[count] != NULL)
		count++;
	return count;
}

void
texts_pack(struct buf *out, const char *const *list)
{
	pack_u32(out, (uint32_t)count_of(list));
	for (; list != NULL && *list != NULL; list++)
		pack_bytes(out, view_of(*list));
}

bool
text_copy(struct arena *arena, view text, const char **out)
{
	view copy;

	if (!arena_copy(arena, text, &copy))
		return false;
	*out = copy.ptr;
	return true;
}

bool
texts_unpack(struct unpack *in, struct arena *arena, const char *const **out)
{
	uint32_t count = unpack_u32(in);
	const char **list;

	if (count > ROLE_PATTERNS_MAX)
		return false;
	list = arena_alloc(arena, (count + 1) * sizeof(*list));
	for (uint32_t i = 0; list != NULL && i < count; i++) {
		if (!text_copy(arena, unpack_bytes(in), &list[i]))
			return false;
	}
	*out = list;
	return list != NULL;
}

bool
texts_copy(const char *const *from, struct arena *arena, const char *const **out)
{
	size_t count = count_of(from);
	const char **list = arena_alloc(arena, (count + 1) * sizeof(*list));

	for (size_t i = 0; list != NULL && i < count; i++) {
		if (!text_copy(arena, view_of(from[i]), &list[i]))
			return false;
	}
	*out = list;
	return list != NULL;
}
