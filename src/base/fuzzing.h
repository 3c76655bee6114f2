/*
 * What every fuzz target (x_fuzz.c) has: its entry, and how it says that something does not hold.
 */
#ifndef BASE_FUZZING_H
#define BASE_FUZZING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Called with one input after another; always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define check(fact) check_at(fact, #fact, __FILE__, __LINE__)

static inline void
check_at(bool holds, const char *fact, const char *file, int line)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, fact);
	abort();
}

#endif
