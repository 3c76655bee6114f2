#include "base/arena.h"

#include "base/starved.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_MIN 8192
#define ALIGNMENT ((size_t)16)

struct arena_chunk {
	struct arena_chunk *older;
	size_t used, size;
	_Alignas(16) char bytes[];
};

void
arena_init(struct arena *arena, size_t limit)
{
	*arena = (struct arena){ .left = limit, .limit = limit };
}

static bool
chunk_add(struct arena *arena, size_t need)
{
	size_t size = need > CHUNK_MIN ? need : CHUNK_MIN;
	struct arena_chunk *chunk;

	if (need > arena->left)
		return false;
	if (size > arena->left)
		size = arena->left;
	chunk = malloc(sizeof(*chunk) + size);
	if (chunk == NULL)
		return false;
	*chunk = (struct arena_chunk){ .older = arena->newest, .size = size };
	arena->newest = chunk;
	arena->left -= size;
	return true;
}

/* ${len} bytes as they are; the caller fills them. */
static char *
take(struct arena *arena, size_t len)
{
	size_t need = (len + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	struct arena_chunk *chunk = arena->newest;
	char *bytes;

	if (need < len ||
	    ((chunk == NULL || need > chunk->size - chunk->used) && !chunk_add(arena, need))) {
		arena->spent = true;
		starved_note();
		return NULL;
	}
	chunk = arena->newest;
	bytes = chunk->bytes + chunk->used;
	chunk->used += need;
	return bytes;
}

bool
arena_corrupt(const struct arena *arena, const char *what, struct error *err)
{
	return arena->spent ? error_memory(err) : error_set(err, ERR_CORRUPT, "%s", what);
}

void *
arena_alloc(struct arena *arena, size_t len)
{
	char *bytes = take(arena, len);

	return bytes == NULL ? NULL : memset(bytes, 0, len);
}

bool
arena_copy(struct arena *arena, view text, view *out)
{
	return arena_join(arena, &text, 1, out);
}

bool
arena_join(struct arena *arena, const view *parts, size_t count, view *out)
{
	size_t len = 0;
	char *bytes, *at;

	for (size_t i = 0; i < count; i++)
		len += parts[i].len;
	bytes = at = take(arena, len + 1);
	if (bytes == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len > 0)
			memcpy(at, parts[i].ptr, parts[i].len);
		at += parts[i].len;
	}
	*at = '\0';
	*out = (view){ bytes, len };
	return true;
}

bool
arena_print(struct arena *arena, view *out, const char *format, ...)
{
	va_list args, again;
	char *bytes;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	bytes = len < 0 ? NULL : take(arena, (size_t)len + 1);
	if (bytes != NULL) {
		(void)vsnprintf(bytes, (size_t)len + 1, format, again);
		*out = (view){ bytes, (size_t)len };
	}
	va_end(again);
	return bytes != NULL;
}

static void
chunk_cut(struct arena_chunk *chunk, size_t used)
{
	explicit_bzero(chunk->bytes + used, chunk->used - used);
	chunk->used = used;
}

/* Give back the newest chunk. */
static void
chunk_drop(struct arena *arena)
{
	struct arena_chunk *chunk = arena->newest;

	chunk_cut(chunk, 0);
	arena->newest = chunk->older;
	arena->left += chunk->size;
	free(chunk);
}

struct arena_mark
arena_mark(const struct arena *arena)
{
	return (
	    struct arena_mark){ arena->newest, arena->newest == NULL ? 0 : arena->newest->used };
}

void
arena_rewind(struct arena *arena, struct arena_mark mark)
{
	while (arena->newest != mark.newest)
		chunk_drop(arena);
	if (arena->newest != NULL)
		chunk_cut(arena->newest, mark.used);
}

void
arena_wipe(struct arena *arena)
{
	while (arena->newest != NULL && arena->newest->older != NULL)
		chunk_drop(arena);
	if (arena->newest != NULL)
		chunk_cut(arena->newest, 0);
	arena->left = arena->limit - (arena->newest == NULL ? 0 : arena->newest->size);
	arena->spent = false;
}

void
arena_free(struct arena *arena)
{
	arena_wipe(arena);
	free(arena->newest);
	arena_init(arena, arena->limit);
}
