/*
 * Long work, watched: how far it is, and whether it is to go on.
 */
#ifndef BASE_WATCH_H
#define BASE_WATCH_H

#include "base/error.h"

#include <stdint.h>

struct progress {
	const char *doing;    /* "restoring"; another word is another part of the work */
	const char *unit;     /* "documents"; NULL: bytes */
	uint64_t done, total; /* total 0: nobody knows */
};

/* Told now and then, often for every document; false stops the work. */
typedef bool watch_fn(void *ctx, const struct progress *progress);

struct watch {
	watch_fn *told; /* NULL: nobody watches */
	void *ctx;
};

/* watch_tell(watch, progress, err): ERR_UNAVAILABLE: it is to stop. A NULL watch is nobody's. */
MUST_USE bool watch_tell(const struct watch *watch, struct progress progress, struct error *err);

#endif
