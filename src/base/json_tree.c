#include "base/json_tree.h"

#include <pthread.h>
#include <stdlib.h>

/*
 * Without memory the library calls good JSON bad, and clients would be blamed; or it drops a byte
 * of a text and goes on, and a value would be stored that nobody sent.  So its allocations are
 * noted, by the thread that makes them.
 */
static _Thread_local bool starved;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void *
allocate(size_t size)
{
	void *memory = malloc(size);

	if (memory == NULL)
		starved = true;
	return memory;
}

static void
note_allocations(void)
{
	json_set_alloc_funcs(allocate, free);
}

bool
json_tree_read(view text, size_t flags, json_t **out, struct error *err)
{
	json_error_t problem;

	(void)pthread_once(&once, note_allocations);
	starved = false;
	*out = json_loadb(text.ptr, text.len, flags, &problem);
	if (!starved)
		return true;
	json_decref(*out);
	*out = NULL;
	return error_memory(err);
}
