#include "base/wipe.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void
wipe_free(void *memory)
{
	if (memory != NULL)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

void *
wipe_realloc(void *memory, size_t size)
{
	size_t before = memory == NULL ? 0 : malloc_usable_size(memory);
	void *moved;

	if (memory != NULL && size <= before && size > 0)
		return memory;
	moved = size == 0 ? NULL : malloc(size);
	if (moved == NULL && size > 0)
		return NULL;
	if (memory != NULL && moved != NULL)
		memcpy(moved, memory, before < size ? before : size);
	wipe_free(memory);
	return moved;
}

#define STACK_LEN ((size_t)16 * 1024)

__attribute__((noinline)) void
wipe_stack(void)
{
	char below[STACK_LEN];

	explicit_bzero(below, sizeof(below));
}
