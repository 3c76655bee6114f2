#include "base/json_tree.h"

#include "base/starved.h"
#include "base/wipe.h"

#include <pthread.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * A text may hold a secret's value: what the library gives back is wiped.
 *
 * And the library does not stand having no memory.  It calls good JSON bad, for which clients would
 * be blamed; or it drops a byte of a text and goes on: when that is the quote at the end, it copies
 * whatever lies behind, over whatever lies behind.  So it is never told.  Reading is left from
 * within the allocation, and what was taken until then is given back here.
 */
struct block {
	_Alignas(max_align_t) struct block *before, *next; /* NULL: reading is over */
};

struct reading {
	jmp_buf starved;
	struct block taken; /* a ring of all there is */
};
static _Thread_local struct reading *reading;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
leave(struct block *block)
{
	if (block->next == NULL)
		return;
	block->before->next = block->next;
	block->next->before = block->before;
	block->before = block->next = NULL;
}

static void *
allocate(size_t size)
{
	struct block *block = size > PTRDIFF_MAX ? NULL : malloc(sizeof(*block) + size);

	if (block == NULL)
		starved_note();
	if (block == NULL && reading != NULL)
		longjmp(reading->starved, 1); /* NOLINT(cert-err52-cpp): see above */
	if (block == NULL)
		return NULL;
	block->before = block->next = NULL;
	if (reading != NULL) {
		block->before = &reading->taken;
		block->next = reading->taken.next;
		block->next->before = block;
		reading->taken.next = block;
	}
	return block + 1;
}

static void
give_back(void *memory)
{
	struct block *block = memory;

	if (memory == NULL)
		return;
	block--;
	leave(block);
	wipe_free(block);
}

static void
set_allocations(void)
{
	json_set_alloc_funcs(allocate, give_back);
}

/* False: starved.  Nothing that is needed afterwards lives in this frame. */
static bool
load(struct reading *now, view text, size_t flags, json_t **out)
{
	json_error_t problem;

	if (setjmp(now->starved) != 0) /* NOLINT(cert-err52-cpp) */
		return false;
	*out = json_loadb(text.ptr, text.len, flags, &problem);
	return true;
}

bool
json_tree_read(view text, size_t flags, json_t **out, struct error *err)
{
	struct reading now = { .taken = { &now.taken, &now.taken } };
	bool ok;

	(void)pthread_once(&once, set_allocations);
	*out = NULL;
	reading = &now;
	ok = load(&now, text, flags, out);
	reading = NULL;
	while (now.taken.next != &now.taken) {
		struct block *block = now.taken.next;

		leave(block);
		if (!ok)
			wipe_free(block);
	}
	wipe_stack();
	return ok || error_memory(err);
}
