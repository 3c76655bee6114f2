/*
 * For tests: the memory that is given back is looked at on the way.  The linker puts __wrap_free in
 * free's place; see meson.build.
 */
#ifndef BASE_FREED_H
#define BASE_FREED_H

#include <stdbool.h>

/* freed_watch(text): Look for ${text} from now on.  freed_seen(): Was it there?  Look no more. */
void freed_watch(const char *text);
bool freed_seen(void);

#endif
