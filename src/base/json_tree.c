#include "base/json_tree.h"

#include "base/wipe.h"

#include <pthread.h>
#include <stdlib.h>

/*
 * A text may hold a secret's value: what the library gives back is wiped.  And without memory it
 * calls good JSON bad, and clients would be blamed; or it drops a byte of a text and goes on, and a
 * value would be stored that nobody sent.  So its allocations are noted, by the thread that makes
 * them.
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
set_allocations(void)
{
	json_set_alloc_funcs(allocate, wipe_free);
}

bool
json_tree_read(view text, size_t flags, json_t **out, struct error *err)
{
	json_error_t problem;

	(void)pthread_once(&once, set_allocations);
	starved = false;
	*out = json_loadb(text.ptr, text.len, flags, &problem);
	if (!starved)
		return true;
	json_decref(*out);
	*out = NULL;
	return error_memory(err);
}
