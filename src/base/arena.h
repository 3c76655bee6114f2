/*
 * One arena per request: handlers never free, a request has a memory ceiling, and nothing a client
 * sent outlives the answer.  What must outlive it is copied by its new owner, on purpose.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/attr.h"
#include "base/error.h"
#include "base/view.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *newest;
	size_t left;  /* bytes of budget not yet spent */
	size_t limit; /* the budget, in bytes */
	bool spent;   /* something got no memory */
};

/* arena_init(arena, limit): An empty arena that may grow to ${limit} bytes; allocates nothing. */
void arena_init(struct arena *arena, size_t limit);

/* arena_alloc(arena, len): ${len} zeroed, 16-byte aligned bytes; NULL once the budget is spent. */
MUST_USE void *arena_alloc(struct arena *arena, size_t len);

/*
 * arena_corrupt(arena, what, err):
 * A document could not be read into ${arena}: ERR_CORRUPT with the text ${what}, unless it was that
 * something got no memory.  Always false.
 */
bool arena_corrupt(const struct arena *arena, const char *what, struct error *err);

/* arena_copy(arena, text, out): A private copy of ${text}, with a NUL behind it. */
MUST_USE bool arena_copy(struct arena *arena, view text, view *out);

/* arena_join(arena, parts, count, out): All parts in a row, with a NUL behind them. */
MUST_USE bool arena_join(struct arena *arena, const view *parts, size_t count, view *out);

/*
 * arena_print(arena, out, format, ...):
 * Format into the arena, with a NUL behind it.
 */
PRINTF(3, 4) MUST_USE bool arena_print(struct arena *arena, view *out, const char *format, ...);

/*
 * arena_mark, arena_rewind:
 * Remember how far the arena is used; wipe and give back all that was taken since.
 */
struct arena_mark {
	struct arena_chunk *newest;
	size_t used;
};
struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

/* arena_wipe(arena): Wipe all that was used; keep the first chunk; the arena starts again. */
void arena_wipe(struct arena *arena);

/* arena_free(arena): Wipe and give everything back.  An arena that was only zeroed is fine. */
void arena_free(struct arena *arena);

#endif
