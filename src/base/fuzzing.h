/*
 * What every fuzz target (x_fuzz.c) has: its entry, and how it says that something does not hold.
 */
#ifndef BASE_FUZZING_H
#define BASE_FUZZING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Called with one input after another; always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static inline void
check(bool fact)
{
	if (!fact)
		abort();
}

#endif
